import { checkCounterBased, withCounter } from './counter-based.ts';
import { modeOf, rateLimitOf, secretOf } from './settings.ts';
import { isRateLimited, withAttempt } from './rate-limit.ts';
import { withoutScratchCode } from './state-file.ts';
import { checkTimeBased, type CodeOutcome, type TimeTerms } from './time-based.ts';

/** A way of reading what was typed: its last six or eight digits. */
export interface HomeReading {
  /** Six or eight ASCII digits. */
  readonly code: Buffer;
}

/** What the options of the module and the past say about an attempt. */
export interface HomeTerms extends Omit<TimeTerms, 'secret'> {
  /** Whether a wrong counter-based code moves the counter on. */
  readonly incrementCounter: boolean;
  /** Whether this attempt was counted in the file before: a login is one attempt, though the stacked password be looked at first. */
  readonly counted?: boolean;
}

/** What an attempt was worth, and what the file shall say then. */
export interface HomeAttempt {
  /** The new text of the file; equal to the old one when nothing is to be written. */
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
 * of reading the answer, until one decides. It computes only; whoever calls it writes the file under a lock.
 *
 * @param text - of the file, read afresh
 * @param readings - six digits before eight, as far as the answer ends in them
 * @param terms - time and options
 * @returns what the attempt was worth, and the new text
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
  /** A wrong code moves the counter on, also when a later reading was right: so does the model. */
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
