import { FileDirectories } from '../enrolments/home/file-directories.ts';
import type { WholeLedger } from '../ledger/ledger.ts';
import { loggable } from '../../log/escape.ts';
import type { Log } from '../../log/log.ts';
import { ControlError } from './control-error.ts';
import type { Forgotten } from '../../contracts/control-requests.ts';

/** What the request `forget` needs. */
export interface ForgetPorts {
  readonly ledger: WholeLedger;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Forgets where a user's factor files were. From then on, a user without such a file counts as not enrolled, even if the home is
 * not mounted.
 *
 * @param ports - ledger and log
 * @param user - whose; the account need not be there any more
 * @returns what was done
 * @throws ControlError when that cannot be recorded
 */
export async function forgetPlaces({ ledger, log, now }: ForgetPorts, user: string): Promise<Forgotten> {
  if (!(await new FileDirectories(ledger, now).forget(user))) {
    throw new ControlError(
      503,
      'ERR_STORE',
      'The ledger cannot be written: is the disk full or read-only? Nothing was changed.',
    );
  }
  log.audit('notice', `The missing secret file of ${loggable(user)} counts as deleted now`);
  return { user };
}
