import type { Notebook } from '../ledger/ledger.ts';
import { markKey } from '../ledger/mark-key.ts';
import type { KnownOrigins } from './attempts.ts';
import { KNOWN_DAYS } from './limits.ts';

const DAY_MS = 86_400_000;
/** One day longer than an origin stays known, because that is counted in calendar days. */
const LASTS = (KNOWN_DAYS + 1) * (DAY_MS / 1000);

/**
 * Keeps in the ledger which origins users have logged in from: the mark is the number of the day, which only grows. It is written
 * with other commits, so a login costs no second sync.
 *
 * @param notebook - where it is kept
 * @param now - the time in milliseconds since 1970
 * @returns the memory
 */
export function knownOriginsIn(notebook: Notebook, now: () => number): KnownOrigins {
  const keyOf = (user: string, origin: string): string => markKey(user, 'origin', Buffer.from(origin));
  const today = (): number => Math.floor(now() / DAY_MS);
  return {
    knows(user, origin) {
      const day = notebook.mark(keyOf(user, origin))?.value;
      return day !== undefined && today() - day <= KNOWN_DAYS;
    },
    note(user, origin, uid) {
      notebook.note(keyOf(user, origin), today(), { kind: 'origin', uid, lasts: LASTS });
    },
  };
}
