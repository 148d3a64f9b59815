/**
 * CLOCK_MONOTONIC: never set, and the same for all programs of a machine until it is started again.
 *
 * @returns milliseconds, with a fraction
 */
export function machineClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
