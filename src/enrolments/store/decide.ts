import type { TypedCode } from '../../factors/code-shape.ts';
import { LOOK_AHEAD, matchHotp, RESYNC_LOOK_AHEAD } from '../../factors/hotp.ts';
import { matchRecoveryHash, RECOVERY_CODE_LENGTH, recoveryHash } from '../../factors/recovery-code.ts';
import { matchTotp } from '../../factors/totp.ts';
import type { MarkKind } from '../../ledger/ledger.ts';
import { hotpKey, recoveryKey, totpKey } from './factor-keys.ts';
import type { HotpFactor, RecoveryFactor, StoredFactor, TotpFactor } from './record.ts';

/** One way in which an answer is right: what must be used up for it. */
export interface Match {
  /** Kind and name of the factor, for the log. */
  readonly factor: string;
  /** Index of the reading that is right. */
  readonly reading: number;
  readonly key: string;
  /** The mark to advance to. */
  readonly mark: number;
  readonly kind: MarkKind;
}

/** A code that is further ahead than codes may be: the next one after it would show who has the token. */
export interface FarAhead {
  readonly key: string;
  readonly counter: number;
}

/** What an answer is worth, before anything is used up. */
export interface Decision {
  /** Ways in which it is right and not used up, as far as is known now. */
  readonly matches: readonly Match[];
  /** The factor whose code it was before: it is used up. */
  readonly spent: string | undefined;
  /** Codes of tokens that may have run ahead. */
  readonly farAhead: readonly FarAhead[];
}

/** Whose answer is checked, and what is known of the factors. */
export interface Known {
  /** Canonical name. */
  readonly user: string;
  /** Key of the hashes of recovery codes, 32 bytes. */
  readonly recoveryKey: Uint8Array;
  /** How far a key is used up; undefined: not at all. */
  readonly markOf: (key: string) => number | undefined;
  /** The counter of a code that was far ahead shortly before; undefined: there was none. */
  readonly farAheadOf: (key: string) => number | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Checks an answer against all factors of a user. It computes only: no clock, no disk, nothing is used up. All factors and all
 * readings are tried, whatever matches, so that the time taken does not tell which.
 *
 * @param known - whose answer, and what is known
 * @param factors - the user's factors
 * @param readings - the answer, read as each shape that fits
 * @returns the ways in which it is right
 */
export function decide(
  known: Known,
  factors: readonly StoredFactor[],
  readings: readonly TypedCode[],
): Decision {
  const findings = factors.flatMap((factor) =>
    readings.flatMap((code, reading) => check(known, factor, code, reading)),
  );
  return {
    matches: findings.flatMap((finding) => (finding.is === 'right' ? finding.match : [])),
    spent: findings.find((finding) => finding.is === 'spent')?.factor,
    farAhead: findings.flatMap((finding) => (finding.is === 'far-ahead' ? finding.farAhead : [])),
  };
}

type Finding =
  | { readonly is: 'right'; readonly match: Match }
  | { readonly is: 'spent'; readonly factor: string }
  | { readonly is: 'far-ahead'; readonly farAhead: FarAhead };

function check(known: Known, factor: StoredFactor, code: TypedCode, reading: number): Finding[] {
  const { shape } = code;
  if (factor.kind === 'recovery') {
    return shape.class === 'recovery' && shape.length === RECOVERY_CODE_LENGTH
      ? checkRecovery(known, factor, code, reading)
      : [];
  }
  if (shape.class !== 'digits' || shape.length !== factor.digits) {
    return [];
  }
  return factor.kind === 'totp'
    ? checkTotp(known, factor, code, reading)
    : checkHotp(known, factor, code, reading);
}

function checkTotp(known: Known, factor: TotpFactor, { text }: TypedCode, reading: number): Finding[] {
  const step = matchTotp(factor, text, known.now);
  if (step === undefined) {
    return [];
  }
  const name = `totp:${factor.name}`;
  const key = totpKey(known.user, factor);
  if (step <= (known.markOf(key) ?? -1)) {
    return [{ is: 'spent', factor: name }];
  }
  const kind: MarkKind = { kind: 'time-step', validFor: factor.period * factor.window };
  return [{ is: 'right', match: { factor: name, reading, key, mark: step, kind } }];
}

/** The mark is the last counter that was used. Codes before it are not looked at: they are wrong, or used up. */
function checkHotp(known: Known, factor: HotpFactor, { text }: TypedCode, reading: number): Finding[] {
  const name = `hotp:${factor.name}`;
  const key = hotpKey(known.user, factor);
  const next = Math.max(factor.counter, (known.markOf(key) ?? -1) + 1);
  const right = (counter: number): Finding[] => [
    { is: 'right', match: { factor: name, reading, key, mark: counter, kind: { kind: 'counter' } } },
  ];
  const window = factor.window ?? LOOK_AHEAD;
  // A right code shows by its verdict that it is right: only all wrong ones need the same work.
  const near = matchHotp(factor, text, next, window);
  if (near !== undefined) {
    return right(near);
  }
  const far = matchHotp(factor, text, next + window, RESYNC_LOOK_AHEAD);
  const last = next > factor.counter && matchHotp(factor, text, next - 1, 1) !== undefined;
  if (far !== undefined && known.farAheadOf(key) === far - 1) {
    return right(far);
  }
  if (last) {
    return [{ is: 'spent', factor: name }];
  }
  return far === undefined ? [] : [{ is: 'far-ahead', farAhead: { key, counter: far } }];
}

function checkRecovery(
  known: Known,
  factor: RecoveryFactor,
  { text }: TypedCode,
  reading: number,
): Finding[] {
  const hash = matchRecoveryHash(
    factor.hashes,
    recoveryHash(known.recoveryKey, known.user, text.toString('latin1')),
  );
  if (hash === undefined) {
    return [];
  }
  const name = `recovery:${factor.name}`;
  const key = recoveryKey(known.user, hash);
  if (known.markOf(key) !== undefined) {
    return [{ is: 'spent', factor: name }];
  }
  return [{ is: 'right', match: { factor: name, reading, key, mark: 1, kind: { kind: 'counter' } } }];
}
