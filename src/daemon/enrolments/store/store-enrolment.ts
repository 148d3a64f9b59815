import type { CodeShape, TypedCode } from '../../../factors/code-shape.ts';
import { RECOVERY_CODE_LENGTH } from '../../../factors/recovery-code.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { withAnswer } from '../at-hand.ts';
import type { AttemptLimit, Checked, Enrolment, Verification } from '../enrolment.ts';
import { TOKEN_LENGTH } from '../../../yubico-otp/index.ts';
import type { OnlineYubikeys } from '../yubico/online-yubikeys.ts';
import { decide, type LookUp } from './decide.ts';
import { recoveryKey } from './factor-keys.ts';
import { SCRATCH_CODE_LENGTH } from './imported-file.ts';
import type { StoredFactor } from './record.ts';
import type { Resynchronisation } from './resynchronisation.ts';

/** What the factors in the store are checked with. */
export interface StoreContext {
  /** Where codes are used up. */
  readonly ledger: Ledger;
  readonly resynchronisation: Resynchronisation;
  /** Key of the hashes of recovery codes, 32 bytes. */
  readonly recoveryKey: () => Uint8Array;
  /** Looks up YubiKeys whose secrets are not stored here. */
  readonly yubikeys: OnlineYubikeys;
}

/**
 * The shapes that some factors take, each once: codes of digits in ascending order of length, then the OTPs of YubiKeys, then
 * recovery codes.
 *
 * @param factors - the factors
 * @returns the shapes
 */
export function shapesOf(factors: readonly StoredFactor[]): CodeShape[] {
  const lengths = new Set(factors.flatMap(digitsOf));
  const digits = [...lengths].sort((a, b) => a - b).map((length): CodeShape => ({ class: 'digits', length }));
  const otps = [...new Set(factors.flatMap(otpLengthOf))].sort((a, b) => a - b);
  return [
    ...digits,
    ...otps.map((length): CodeShape => ({ class: 'modhex', length })),
    ...(factors.some(({ kind }) => kind === 'recovery')
      ? [{ class: 'recovery', length: RECOVERY_CODE_LENGTH } as const]
      : []),
  ];
}

function otpLengthOf(factor: StoredFactor): number[] {
  return factor.kind === 'yubikey-online' || factor.kind === 'yubikey-offline'
    ? [factor.publicId.length + TOKEN_LENGTH]
    : [];
}

function digitsOf(factor: StoredFactor): number[] {
  switch (factor.kind) {
    case 'totp':
    case 'hotp':
      return [factor.digits];
    case 'recovery':
    case 'yubikey-online':
    case 'yubikey-offline':
      return [];
    case 'google-authenticator': {
      const { token, scratch } = factor.file;
      return [
        ...(token === undefined ? [] : [token.digits]),
        ...(scratch.codes.length === 0 ? [] : [SCRATCH_CODE_LENGTH]),
      ];
    }
  }
}

/**
 * The factors whose codes are accepted.
 *
 * @param factors - the factors
 * @returns those that are not paused
 */
export function activeOf(factors: readonly StoredFactor[]): StoredFactor[] {
  return factors.filter(({ paused }) => paused !== true);
}

/**
 * The limits of guesses that factors have of their own.
 *
 * @param factors - the factors
 * @returns the limits
 */
export function limitsOf(factors: readonly StoredFactor[]): AttemptLimit[] {
  return factors.flatMap((factor) => {
    switch (factor.kind) {
      case 'totp':
      case 'hotp':
        return factor.limit ?? [];
      case 'recovery':
      case 'yubikey-online':
      case 'yubikey-offline':
        return [];
      case 'google-authenticator':
        return factor.file.rateLimit ?? [];
    }
  });
}

/** From this number of recovery codes on, the owner is told to make new ones. */
const FEW_CODES = 3;

function fewCodes(
  user: string,
  factors: readonly StoredFactor[],
  ledger: Ledger,
): Pick<Verification & { kind: 'accepted' }, 'recoveryCodesLeft'> {
  const set = factors.find((factor) => factor.kind === 'recovery');
  if (set === undefined) {
    return {};
  }
  const left = set.hashes.filter((hash) => ledger.mark(recoveryKey(user, hash)) === undefined).length;
  return left > FEW_CODES ? {} : { recoveryCodesLeft: left };
}

/** The reason for refusing a code whose use cannot be recorded. */
export const NOT_RECORDED = 'the use of the code cannot be recorded';
const WORN_OUT = 'the YubiKey has reached its last session: program it with new secrets';

/**
 * An enrolment whose factors are kept in the store.
 *
 * @param user - canonical name
 * @param factors - its factors
 * @param factorsNow - reads the factors again; none if they are gone
 * @param context - what they are checked with
 * @returns the enrolment
 */
export function storeEnrolment(
  user: string,
  factors: readonly StoredFactor[],
  factorsNow: () => readonly StoredFactor[] | Promise<readonly StoredFactor[]>,
  context: StoreContext,
): Enrolment {
  return {
    shapes: shapesOf(factors),
    limits: limitsOf(factors),
    onlyRecovery: factors.every(({ kind }) => kind === 'recovery'),
    verify: (readings, now) =>
      withAnswer(factorsNow(), (current) => check(user, current, readings, now, context)),
  };
}

/** Claims a match; the first one that is not used up counts. */
function check(
  user: string,
  factors: readonly StoredFactor[],
  readings: readonly TypedCode[],
  now: number,
  context: StoreContext,
): Checked {
  const { ledger, resynchronisation } = context;
  const known = {
    user,
    recoveryKey: context.recoveryKey(),
    markOf: (key: string) => ledger.mark(key)?.value,
    farAheadOf: (key: string) => resynchronisation.counterOf(key),
    now,
  };
  const decision = decide(known, factors, readings);
  let spent = decision.spent;
  for (const { factor, reading, key, mark, kind } of decision.matches) {
    const claim = ledger.claim(key, mark, kind);
    if (claim === 'unavailable') {
      return { kind: 'unavailable', factor, why: NOT_RECORDED };
    }
    if (claim !== 'spent') {
      const then = { kind: 'accepted', factor, reading, ...fewCodes(user, factors, ledger) } as const;
      return { kind: 'claimed', claim, then };
    }
    spent ??= factor;
  }
  if (decision.wornOut !== undefined) {
    return { kind: 'unavailable', factor: decision.wornOut, why: WORN_OUT };
  }
  const [lookUp] = decision.lookUps;
  if (spent === undefined && lookUp !== undefined) {
    return lookedUp(user, lookUp, context).then((verification) =>
      verification.kind === 'accepted'
        ? { ...verification, ...fewCodes(user, factors, ledger) }
        : verification,
    );
  }
  if (spent !== undefined) {
    return { kind: 'rejected', reason: 'code-already-used', factor: spent };
  }
  decision.farAhead.forEach((farAhead) => resynchronisation.remember(farAhead));
  return { kind: 'rejected', reason: 'wrong-code' };
}

/** An OTP that the server accepts must still be new here: some servers accept one OTP twice if it comes twice at once. */
async function lookedUp(
  user: string,
  { factor, reading, otp, key }: LookUp,
  context: StoreContext,
): Promise<Verification> {
  const answer = await context.yubikeys.lookUp(user, otp);
  switch (answer.kind) {
    case 'right': {
      const outcome =
        answer.mark === undefined
          ? 'advanced'
          : await context.ledger.advance(key, answer.mark, { kind: 'counter' });
      // If the ledger cannot be written, the server's own record is durable.
      return outcome === 'spent'
        ? { kind: 'rejected', reason: 'code-already-used', factor }
        : { kind: 'accepted', factor, reading };
    }
    case 'wrong':
      return { kind: 'rejected', reason: 'wrong-code' };
    case 'replayed':
      return { kind: 'rejected', reason: 'code-already-used', factor };
    case 'unavailable':
      return { kind: 'unavailable', factor, why: answer.why, tryAnother: true };
  }
}
