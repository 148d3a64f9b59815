import { lastMatch, type CodeGenerator } from './hotp-value.ts';

/** Codes that may have been shown without being typed: the look-ahead window of RFC 4226, section 7.2. */
export const LOOK_AHEAD = 10;
/** Counters stay far below the safe integers. */
export const MAX_COUNTER = 2 ** 48;
/** How far a first code may be ahead when a second one confirms it: RFC 4226, section 7.4. */
export const RESYNC_LOOK_AHEAD = 100;

/** A counter-based one-time password: RFC 4226. */
export interface Hotp extends CodeGenerator {
  /** The counter that was expected when the factor was enrolled. */
  readonly counter: number;
  /** How many codes are accepted from the expected one on; {@link LOOK_AHEAD} when nothing is said. */
  readonly window?: number | undefined;
}

/**
 * Looks for the counter that a code belongs to. Every counter is computed and compared in constant time, whatever matches.
 *
 * @param hotp - the factor
 * @param code - what the person typed, ASCII digits
 * @param from - the first counter to look at
 * @param count - how many counters to look at
 * @returns the last counter whose code this is, or undefined
 */
export function matchHotp(hotp: Hotp, code: Uint8Array, from: number, count: number): number | undefined {
  return lastMatch(hotp, code, from, count);
}
