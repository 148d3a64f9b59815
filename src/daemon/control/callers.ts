import type { Account } from '../enrolments/enrolment.ts';
import type { PasswdEntry } from '../../host/addon.ts';
import { nameService, NameServiceError } from '../../host/name-service.ts';
import { loggable } from '../../log/escape.ts';
import { ControlError } from './control-error.ts';

const ROOT_UID = 0;
/** Who asks on behalf of root's commands. */
export const ROOT: Caller = { uid: ROOT_UID };

/** Who asks, according to the kernel. */
export interface Caller {
  readonly uid: number;
}

/**
 * Whether the caller is root, who may do everything for everybody.
 *
 * @param caller - who asks
 * @returns whether it is root
 */
export function isRoot({ uid }: Caller): boolean {
  return uid === ROOT_UID;
}

/**
 * Waits for the name service, which may never answer.
 *
 * @param lookUp - what it was asked
 * @returns its answer
 * @throws ControlError when it does not answer in time
 */
export async function answered(lookUp: Promise<PasswdEntry | undefined>): Promise<PasswdEntry | undefined> {
  try {
    return await lookUp;
  } catch (error) {
    throw error instanceof NameServiceError
      ? new ControlError(
          503,
          'ERR_UNAVAILABLE',
          'The name service does not answer, so the account cannot be looked up: try again later',
        )
      : error;
  }
}

/**
 * Refuses everybody but root.
 *
 * @param caller - who asks
 * @throws ControlError for others
 */
export function assertRoot(caller: Caller): void {
  if (!isRoot(caller)) {
    throw new ControlError(403, 'ERR_NOT_ROOT', 'Only root may do that: try again with sudo');
  }
}

/**
 * The account that a caller asks about. A caller other than root may ask only about itself. For other names, nothing is looked
 * up, so neither the answer nor its time tells who exists.
 *
 * @param caller - who asks
 * @param name - about whom
 * @returns the account
 * @throws ControlError when the caller is not allowed to; for root, when there is no such user
 */
export async function accountFor(caller: Caller, name: string): Promise<Account> {
  if (isRoot(caller)) {
    return existingAccount(name);
  }
  const own = await ownAccount(caller);
  if (own.name !== name) {
    throw new ControlError(
      403,
      'ERR_NOT_ALLOWED',
      'You can do that only for yourself, and root for everybody: try again with sudo',
    );
  }
  return own;
}

/**
 * The caller's own account.
 *
 * @param caller - who asks
 * @returns the account
 * @throws ControlError when the passwd database has no account with this uid
 */
export async function ownAccount(caller: Caller): Promise<Account> {
  const { uid } = caller;
  const entry = await answered(nameService.userNumbered(uid, caller));
  if (entry === undefined) {
    throw new ControlError(403, 'ERR_NOT_ALLOWED', `There is no account with your uid, ${uid}`);
  }
  return { name: entry.name, uid: entry.uid };
}

/**
 * The account of a name.
 *
 * @param name - as the request says it
 * @returns the account, with its canonical name
 * @throws ControlError when there is no such user
 */
export async function existingAccount(name: string): Promise<Account> {
  const entry =
    name === '' || name.includes('\0') ? undefined : await answered(nameService.userNamed(name, ROOT));
  if (entry === undefined) {
    throw new ControlError(404, 'ERR_NO_SUCH_USER', `There is no user ${loggable(name)} on this machine`);
  }
  return { name: entry.name, uid: entry.uid };
}
