import { lastMatch, type CodeGenerator } from './hotp-value.ts';

/** Time steps that are accepted when nothing else is said: one before, the current one, one after. */
export const DEFAULT_WINDOW = 3;
/** More steps make guessing too easy: pam_google_authenticator has the same bound. */
export const MAX_WINDOW = 100;
/** RFC 6238, section 5.2, recommends 30 seconds. */
export const DEFAULT_PERIOD = 30;
/** Longer time steps are refused, wherever they come from; new ones are of 15 to 120 seconds. */
export const MAX_PERIOD = 300;

/** A time-based one-time password: RFC 6238. */
export interface Totp extends CodeGenerator {
  /** Length of a time step in seconds. */
  readonly period: number;
  /**
   * How many time steps are accepted: the current one and as many around it; of an even number the odd one lies in the future,
   * as in pam_google_authenticator.
   */
  readonly window: number;
  /** How many steps the clock of the device is ahead; left out: none. */
  readonly skew?: number;
}

/**
 * The time step of a moment: T of RFC 6238, section 4.2, with T0 = 0.
 *
 * @param period - length of a step in seconds
 * @param now - milliseconds since 1970
 * @returns the number of the step
 */
export function timeStep(period: number, now: number): number {
  return Math.floor(now / 1000 / period);
}

/**
 * Looks for the time step that a code belongs to. Every step of the window is computed and compared in constant time, whatever
 * matches, so that the time taken tells nothing.
 *
 * @param totp - the factor
 * @param code - what the person typed, ASCII digits
 * @param now - milliseconds since 1970
 * @returns the latest step of the window whose code this is, or undefined
 */
export function matchTotp(totp: Totp, code: Uint8Array, now: number): number | undefined {
  const current = timeStep(totp.period, now) + (totp.skew ?? 0);
  return lastMatch(totp, code, current - Math.floor((totp.window - 1) / 2), totp.window);
}
