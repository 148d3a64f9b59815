import { checkCounterBased, withCounter } from './counter-based.ts';
import { modeOf, rateLimitOf, secretOf } from './settings.ts';
import { isRateLimited, withAttempt } from './rate-limit.ts';
import { withoutScratchCode } from './state-file.ts';
import { checkTimeBased, type CodeOutcome, type TimeTerms } from './time-based.ts';

/* One attempt on the text of a file, as pam_google_authenticator decides it. Pure. */

/** A reading of the typed answer: its last six or eight digits. */
export interface HomeReading {
  /** Six or eight ASCII digits. */
  readonly code: Buffer;
}

/** The terms of an attempt: options of the module, and earlier events. */
export interface HomeTerms extends Omit<TimeTerms, 'secret'> {
  /** Whether a wrong counter-based code moves the counter on. */
  readonly incrementCounter: boolean;
  /** Whether the file has counted this login already: the stacked password and the typed answer are one attempt. */
  readonly counted?: boolean;
}

/** The result of an attempt, and the new contents of the file. */
export interface HomeAttempt {
  /** The new text of the file; equal to the old one if nothing has to be written. */
  readonly text: string;
  readonly result:
    | {
        readonly kind: 'accepted';
        readonly factor: 'totp' | 'hotp' | 'scratch';
        readonly reading: number;
        readonly steps: readonly number[];
      }
    | {
        readonly kind: 'rejected';
        readonly reason: 'wrong-code' | 'code-already-used' | 'clock-differs' | 'too-many-tries' | 'bad-file';
        readonly why?: string;
      };
}

const SCRATCH_CODE_DIGITS = 8;

/**
 * Checks an answer against a file as pam_google_authenticator does: scratch codes first, then the counter or the time, for each way
 * of reading the answer, until one decides. It only computes; the caller writes the file under a lock.
 *
 * @param text - of the file, read afresh
 * @param readings - six digits before eight, as far as the answer ends in them
 * @param terms - time and options
 * @returns the result, and the new text
 */
export function attempt(text: string, readings: readonly HomeReading[], terms: HomeTerms): HomeAttempt {
  const limit = terms.counted === true ? undefined : rateLimitOf(text);
  if (limit !== undefined && 'bad' in limit) {
    return { text, result: { kind: 'rejected', reason: 'bad-file', why: limit.bad } };
  }
  if (limit !== undefined && isRateLimited(limit, terms.now)) {
    return { text, result: { kind: 'rejected', reason: 'too-many-tries' } };
  }
  const counted = limit === undefined ? text : withAttempt(text, limit, terms.now);
  const secret = secretOf(text);
  if (secret === undefined) {
    return { text: counted, result: { kind: 'rejected', reason: 'bad-file', why: 'No valid base32 secret' } };
  }
  try {
    return judge(counted, readings, { ...terms, secret });
  } finally {
    secret.fill(0);
  }
}

interface Terms extends HomeTerms {
  readonly secret: Buffer;
}

function judge(text: string, readings: readonly HomeReading[], terms: Terms): HomeAttempt {
  const mode = modeOf(text);
  let counterMissed = false;
  /** A wrong code advances the counter, even if a later reading is right, as in pam_google_authenticator. */
  const moved = (changed: string): string =>
    counterMissed && mode.kind === 'hotp' && terms.incrementCounter
      ? withCounter(changed, mode.counter + 1)
      : changed;
  for (const [reading, { code }] of readings.entries()) {
    const scratched = scratch(text, code);
    if (scratched !== undefined) {
      return { text: moved(scratched), result: { kind: 'accepted', factor: 'scratch', reading, steps: [] } };
    }
    if (code.length === SCRATCH_CODE_DIGITS || mode.kind === 'none') {
      continue;
    }
    const outcome: CodeOutcome =
      mode.kind === 'hotp'
        ? checkCounterBased(text, code, terms.secret, mode.counter)
        : checkTimeBased(text, code, terms);
    if (outcome.kind === 'accepted') {
      return {
        text: outcome.text,
        result: { kind: 'accepted', factor: mode.kind, reading, steps: outcome.steps },
      };
    }
    if (outcome.kind === 'refused') {
      return { text: outcome.text, result: { kind: 'rejected', reason: outcome.reason, why: outcome.why } };
    }
    counterMissed ||= mode.kind === 'hotp';
  }
  return { text: moved(text), result: { kind: 'rejected', reason: 'wrong-code' } };
}

function scratch(text: string, code: Buffer): string | undefined {
  return code.length === SCRATCH_CODE_DIGITS
    ? withoutScratchCode(text, Number(code.toString('latin1')))
    : undefined;
}
