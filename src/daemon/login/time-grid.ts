/** Wrong answers leave on a grid of time, so that how long a check took tells nothing about the user: longer than checking against the
 * store takes. Milliseconds. */
export const GRID_MS = 5;
const US_PER_MS = 1_000;

/**
 * How long to wait for the next line of the grid.
 *
 * @param begun - when the check began, by a clock in milliseconds that never jumps: there the grid begins
 * @param now - what time it is by that clock
 * @param step - between two lines of the grid, milliseconds
 * @returns whole microseconds, at least one
 */
export function untilNextLine(begun: number, now: number, step = GRID_MS): number {
  const taken = now - begun;
  const line = (Math.floor(taken / step) + 1) * step;
  return Math.max(Math.round((line - taken) * US_PER_MS), 1);
}
