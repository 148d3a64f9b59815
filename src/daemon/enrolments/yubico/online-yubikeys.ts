import { yubikeyMark } from '../../../factors/yubikey.ts';
import {
  validateOnline,
  type Otp,
  type ServerFailure,
  type Validation,
  type ValidationSettings,
} from '../../../yubico-otp/index.ts';
import { LookUpBudget } from './look-up-budget.ts';
import { SeenOtps } from './seen-otps.ts';

/* Look-ups at validation servers, each OTP once, and not too many for a user. */

/** How a look-up ended. */
export type LookedUp =
  | {
      readonly kind: 'right';
      /**
       * Its counters as one mark; undefined if the server does not return them, so that only the server knows which OTPs are used
       * up.
       */
      readonly mark: number | undefined;
    }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'unavailable'; readonly why: string };

/** Asks validation servers about OTPs. */
export interface OnlineYubikeys {
  /**
   * Looks an OTP up, which uses it up.
   *
   * @param user - canonical name of the user who has the key; the caller has checked that
   * @param otp - the OTP
   * @returns how it ended; it never rejects
   */
  lookUp(user: string, otp: Otp): Promise<LookedUp>;
}

/** Receives reports about look-ups, for the log. They contain no OTP or key. */
export interface LookUpReports {
  /** The servers reject our requests: nobody gets in with a key until that is mended. */
  misconfigured(failures: readonly ServerFailure[]): void;
  /** No server gave a result. */
  unavailable(failures: readonly ServerFailure[]): void;
  /** Some servers failed, but another one answered. */
  degraded(failures: readonly ServerFailure[]): void;
}

/** The limits of look-ups, shared by all lines in pam.d. */
export interface Bounds {
  readonly budget: LookUpBudget;
  readonly seen: SeenOtps;
}

/**
 * Makes unused limits.
 *
 * @param monotonic - a clock in milliseconds that never jumps
 * @returns the bounds
 */
export function newBounds(monotonic: () => number): Bounds {
  return { budget: new LookUpBudget(monotonic), seen: new SeenOtps(monotonic) };
}

/**
 * Looks OTPs up at the configured servers: each OTP once, and not more often than the budget of the user allows.
 *
 * @param settings - the servers
 * @param reports - gets reports
 * @param bounds - the limits
 * @param validate - the client
 * @returns the look-up
 */
export function onlineYubikeys(
  settings: ValidationSettings,
  reports: LookUpReports,
  { budget, seen }: Bounds,
  validate: (otp: Otp, settings: ValidationSettings) => Promise<Validation> = validateOnline,
): OnlineYubikeys {
  return {
    async lookUp(user, otp) {
      if (seen.has(otp.text)) {
        return { kind: 'replayed' };
      }
      if (!budget.take(user) || !seen.note(otp.text)) {
        return { kind: 'unavailable', why: 'too many look-ups within a minute' };
      }
      return told(await validate(otp, settings), reports);
    },
  };
}

/**
 * The look-up for when nothing can be looked up.
 *
 * @param why - the reason, for the log
 * @returns a look-up that always fails with the reason
 */
export function noOnlineYubikeys(why: string): OnlineYubikeys {
  return { lookUp: () => Promise.resolve({ kind: 'unavailable', why }) };
}

function told(validation: Validation, reports: LookUpReports): LookedUp {
  const { kind, failures } = validation;
  switch (kind) {
    case 'misconfigured':
      reports.misconfigured(failures);
      return { kind: 'unavailable', why: 'the validation servers reject our requests' };
    case 'unavailable':
      reports.unavailable(failures);
      return { kind: 'unavailable', why: 'no validation server could check the YubiKey' };
    case 'right':
    case 'wrong':
    case 'replayed':
      if (failures.length > 0) {
        reports.degraded(failures);
      }
      return kind === 'right' ? { kind, mark: markOf(validation) } : { kind };
  }
}

function markOf({ counters }: Extract<Validation, { kind: 'right' }>): number | undefined {
  return counters === undefined ? undefined : yubikeyMark(counters.sessionCounter, counters.sessionUse);
}
