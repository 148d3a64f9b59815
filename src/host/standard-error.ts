import { writeSync } from 'node:fs';
import { openOutlet, type Outlet } from './addon.ts';

const STDERR = 2;

/**
 * Standard error, for a log that never waits.
 *
 * @returns it; without the addon, so that its absence can be told, one that waits
 */
export function standardError(): Outlet {
  try {
    return openOutlet(STDERR);
  } catch {
    return { write: (bytes) => writeSync(STDERR, bytes) };
  }
}
