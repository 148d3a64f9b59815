import { writeSync } from 'node:fs';
import { openOutlet, type Outlet } from './addon.ts';

const STDERR = 2;

/**
 * Standard error, for a log that never waits.
 *
 * @returns the log; one that waits if the addon is missing, so that this can be reported
 */
export function standardError(): Outlet {
  try {
    return openOutlet(STDERR);
  } catch {
    return { write: (bytes) => writeSync(STDERR, bytes) };
  }
}
