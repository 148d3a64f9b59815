import type { Account } from '../enrolments/enrolment.ts';
import { lookUpUid, lookUpUser } from '../host/addon.ts';
import { loggable } from '../log/escape.ts';
import { ControlError } from './control-error.ts';

const ROOT_UID = 0;

/** Who asks: what the kernel says. */
export interface Caller {
  readonly uid: number;
}

/**
 * Whether the caller may do everything, for everybody.
 *
 * @param caller - who asks
 * @returns whether it is root
 */
export function isRoot({ uid }: Caller): boolean {
  return uid === ROOT_UID;
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
 * The account that a caller asks about. Who is not root may ask about itself only, and nothing is looked up for it about anybody else:
 * neither the answer nor its time tells who exists.
 *
 * @param caller - who asks
 * @param name - about whom
 * @returns the account
 * @throws ControlError when the caller may not, or for root, when there is no such user
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
      'You can do that for yourself only; root can for everybody: try again with sudo',
    );
  }
  return own;
}

/**
 * The caller's own account.
 *
 * @param caller - who asks
 * @returns the account
 * @throws ControlError when the passwd database knows nobody with this uid
 */
export async function ownAccount({ uid }: Caller): Promise<Account> {
  const entry = await lookUpUid(uid);
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
  const entry = name === '' || name.includes('\0') ? undefined : await lookUpUser(name);
  if (entry === undefined) {
    throw new ControlError(404, 'ERR_NO_SUCH_USER', `There is no user ${loggable(name)} on this machine`);
  }
  return { name: entry.name, uid: entry.uid };
}
