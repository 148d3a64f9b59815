import { readlinkSync } from 'node:fs';

/**
 * The terminal of this process, as programs give it to PAM.
 *
 * @returns such as `pts/0`
 */
export function ttyname(): string {
  for (const fd of [0, 1, 2]) {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      if (path.startsWith('/dev/pts/') || path.startsWith('/dev/tty')) {
        return path.slice('/dev/'.length);
      }
    } catch {
      // It is closed.
    }
  }
  return 'unknown';
}
