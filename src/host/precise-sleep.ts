import { ringAfter } from './addon.ts';

const US_PER_MS = 1_000;

/**
 * Waits.
 *
 * @param microseconds - 1 to 1,000,000; precise to some ten of them. Without free file descriptors, only whole milliseconds
 * @returns when they have passed
 */
export function preciseSleep(microseconds: number): Promise<void> {
  return new Promise((resolve) => {
    try {
      ringAfter(microseconds, resolve);
    } catch {
      setTimeout(resolve, Math.ceil(microseconds / US_PER_MS));
    }
  });
}
