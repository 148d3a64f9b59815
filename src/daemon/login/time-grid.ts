/**
 * Wrong answers are sent only at multiples of this time (milliseconds), so that the time of a check tells nothing about the user.
 * It is longer than a check against the store.
 */
export const GRID_MS = 5;
const US_PER_MS = 1_000;

/**
 * How long to wait until the next such moment.
 *
 * @param begun - when the check began, by a clock in milliseconds that never jumps
 * @param now - the time of that clock
 * @param step - the time between two moments, milliseconds
 * @returns whole microseconds, at least one
 */
export function untilNextLine(begun: number, now: number, step = GRID_MS): number {
  const taken = now - begun;
  const line = (Math.floor(taken / step) + 1) * step;
  return Math.max(Math.round((line - taken) * US_PER_MS), 1);
}
