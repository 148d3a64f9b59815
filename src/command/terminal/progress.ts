import type { Output } from './output.ts';

const INTERVAL_MS = 2_000;

/**
 * Reports the progress of long work from time to time, on standard error.
 *
 * @param output - where
 * @param total - how many there are
 * @returns takes how many are done
 */
export function reportProgress(output: Output, total: number): (done: number) => void {
  let last = performance.now();
  return (done) => {
    const now = performance.now();
    if (done < total && now - last >= INTERVAL_MS) {
      last = now;
      output.note(`${done} of ${total} users are done …`);
    }
  };
}
