import { timingSafeEqual } from 'node:crypto';
import type { TypedCode } from '../../../factors/code-shape.ts';
import { LOOK_AHEAD, matchHotp, RESYNC_LOOK_AHEAD, type Hotp } from '../../../factors/hotp.ts';
import { matchRecoveryHash, RECOVERY_CODE_LENGTH, recoveryHash } from '../../../factors/recovery-code.ts';
import { matchTotp, type Totp } from '../../../factors/totp.ts';
import { matchYubikey } from '../../../factors/yubikey.ts';
import type { MarkKind } from '../../ledger/ledger.ts';
import { parseOtp, type Otp } from '../../../yubico-otp/index.ts';
import { hotpKey, recoveryKey, scratchKey, totpKey, yubikeyKey } from './factor-keys.ts';
import { SCRATCH_CODE_LENGTH, type ScratchCodes } from './imported-file.ts';
import type {
  ImportedFactor,
  OfflineYubikeyFactor,
  OnlineYubikeyFactor,
  RecoveryFactor,
  StoredFactor,
} from './record.ts';

/* Checks an answer against the factors of a record. Pure. */

/** A match of an answer, with the mark that must be used up for it. */
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

/** A code beyond the window. If the next code follows it, that proves who has the token. */
export interface FarAhead {
  readonly key: string;
  readonly counter: number;
}

/** An OTP of a user's key that only a validation server can check. */
export interface LookUp {
  /** Kind and name of the factor, for the log. */
  readonly factor: string;
  readonly reading: number;
  readonly otp: Otp;
  /** The ledger's key for the server's counters. */
  readonly key: string;
}

/** The result of checking an answer, before anything is used up. */
export interface Decision {
  /** Matches that are not used up, as far as known now. */
  readonly matches: readonly Match[];
  /** The factor whose code matches, but is used up. */
  readonly spent: string | undefined;
  /** Codes of tokens that may have run ahead. */
  readonly farAhead: readonly FarAhead[];
  /** The OTPs that only a server can check, if nothing here matches. */
  readonly lookUps: readonly LookUp[];
  /** The key whose counter has reached its end, so its OTPs are no longer accepted. */
  readonly wornOut: string | undefined;
}

/** The user whose answer is checked, and the state of the factors. */
export interface Known {
  /** Canonical name. */
  readonly user: string;
  /** Key of the hashes of recovery codes, 32 bytes. */
  readonly recoveryKey: Uint8Array;
  /** The mark of a key; undefined if it was never used. */
  readonly markOf: (key: string) => number | undefined;
  /** The counter of a recent code that was far ahead; undefined if there was none. */
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
    lookUps: findings.flatMap((finding) => (finding.is === 'to-look-up' ? finding.lookUp : [])),
    wornOut: findings.find((finding) => finding.is === 'worn-out')?.factor,
  };
}

type Finding =
  | { readonly is: 'right'; readonly match: Match }
  | { readonly is: 'spent'; readonly factor: string }
  | { readonly is: 'far-ahead'; readonly farAhead: FarAhead }
  | { readonly is: 'to-look-up'; readonly lookUp: LookUp }
  | { readonly is: 'worn-out'; readonly factor: string };

function check(known: Known, factor: StoredFactor, code: TypedCode, reading: number): Finding[] {
  switch (factor.kind) {
    case 'totp':
    case 'hotp':
      return checkToken(known, factor.name, factor, code, reading);
    case 'recovery':
      return checkRecovery(known, factor, code, reading);
    case 'google-authenticator':
      return checkImported(known, factor, code, reading);
    case 'yubikey-online':
    case 'yubikey-offline':
      return code.shape.class === 'modhex' ? checkYubikey(known, factor, code, reading) : [];
  }
}

/** A phone or token, alone or in an imported file. */
type Token = ({ readonly kind: 'totp' } & Totp) | ({ readonly kind: 'hotp' } & Hotp);

function checkToken(
  known: Known,
  name: string,
  token: Token,
  code: TypedCode,
  reading: number,
  usedSteps: readonly number[] = [],
): Finding[] {
  if (!isDigits(code, token.digits)) {
    return [];
  }
  return token.kind === 'totp'
    ? checkTotp(known, `totp:${name}`, token, code, reading, usedSteps)
    : checkHotp(known, `hotp:${name}`, token, code, reading);
}

function isDigits({ shape }: TypedCode, length: number): boolean {
  return shape.class === 'digits' && shape.length === length;
}

function checkTotp(
  known: Known,
  name: string,
  factor: Totp,
  { text }: TypedCode,
  reading: number,
  usedSteps: readonly number[],
): Finding[] {
  const step = matchTotp(factor, text, known.now);
  if (step === undefined) {
    return [];
  }
  const key = totpKey(known.user, factor);
  if (step <= (known.markOf(key) ?? -1) || usedSteps.includes(step)) {
    return [{ is: 'spent', factor: name }];
  }
  const kind: MarkKind = { kind: 'time-step', validFor: factor.period * factor.window };
  return [{ is: 'right', match: { factor: name, reading, key, mark: step, kind } }];
}

/** The mark is the last counter that was used. Codes before it are not looked at: they are wrong, or used up. */
function checkHotp(
  known: Known,
  name: string,
  factor: Hotp,
  { text }: TypedCode,
  reading: number,
): Finding[] {
  const key = hotpKey(known.user, factor);
  const next = Math.max(factor.counter, (known.markOf(key) ?? -1) + 1);
  const right = (counter: number): Finding[] => [
    { is: 'right', match: { factor: name, reading, key, mark: counter, kind: { kind: 'counter' } } },
  ];
  const window = factor.window ?? LOOK_AHEAD;
  // The verdict reveals that a code is right anyway, so only wrong codes must all take the same work.
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
  { shape, text }: TypedCode,
  reading: number,
): Finding[] {
  if (shape.class !== 'recovery' || shape.length !== RECOVERY_CODE_LENGTH) {
    return [];
  }
  const hash = matchRecoveryHash(
    factor.hashes,
    recoveryHash(known.recoveryKey, factor.madeFor ?? known.user, text.toString('latin1')),
  );
  if (hash === undefined) {
    return [];
  }
  return oneUse(known, `recovery:${factor.name}`, recoveryKey(known.user, hash), reading);
}

/** Codes that work for one login. */
function oneUse(known: Known, factor: string, key: string, reading: number): Finding[] {
  return known.markOf(key) === undefined
    ? [{ is: 'right', match: { factor, reading, key, mark: 1, kind: { kind: 'counter' } } }]
    : [{ is: 'spent', factor }];
}

function checkImported(
  known: Known,
  { name, file }: ImportedFactor,
  code: TypedCode,
  reading: number,
): Finding[] {
  return [
    ...checkScratch(known, `scratch:${name}`, file.scratch, code, reading),
    ...(file.token === undefined ? [] : checkToken(known, name, file.token, code, reading, file.usedSteps)),
  ];
}

/** All codes are compared in constant time, whatever matches. */
function checkScratch(
  known: Known,
  name: string,
  scratch: ScratchCodes,
  code: TypedCode,
  reading: number,
): Finding[] {
  if (!isDigits(code, SCRATCH_CODE_LENGTH)) {
    return [];
  }
  const matched = scratch.codes.filter(
    (candidate) => candidate.length === code.text.length && timingSafeEqual(candidate, code.text),
  );
  return matched.flatMap((right) => oneUse(known, name, scratchKey(known.user, scratch, right), reading));
}

function checkYubikey(
  known: Known,
  factor: OnlineYubikeyFactor | OfflineYubikeyFactor,
  { text }: TypedCode,
  reading: number,
): Finding[] {
  const typed = text.toString('latin1');
  const name = `yubikey:${factor.name}`;
  const key = yubikeyKey(known.user, factor);
  if (factor.kind === 'yubikey-online') {
    const otp = parseOtp(typed);
    // An OTP of somebody else's key is never sent to a server.
    return otp?.publicId === factor.publicId
      ? [{ is: 'to-look-up', lookUp: { factor: name, reading, otp, key } }]
      : [];
  }
  const finding = matchYubikey(factor, typed);
  if (finding === undefined) {
    return [];
  }
  if (finding.is === 'worn-out') {
    return [{ is: 'worn-out', factor: name }];
  }
  return finding.mark <= (known.markOf(key) ?? -1)
    ? [{ is: 'spent', factor: name }]
    : [{ is: 'right', match: { factor: name, reading, key, mark: finding.mark, kind: { kind: 'counter' } } }];
}
