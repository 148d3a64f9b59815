import type { Account } from '../enrolments/enrolment.ts';
import { ChangeError } from '../enrolments/store/change-error.ts';
import type { EnrolmentRecord, StoredFactor } from '../enrolments/store/record.ts';
import { RecordError } from '../enrolments/store/record-error.ts';
import type { Store } from '../enrolments/store/store.ts';
import { NotDurableError } from '../enrolments/store/store-files.ts';
import { loggable } from '../../log/escape.ts';
import type { Log } from '../../log/log.ts';
import { ControlError } from './control-error.ts';

/** What reading and writing records needs. */
export interface RecordPorts {
  readonly store: Store;
}

/**
 * Reads a user's record for a request.
 *
 * @param ports - the store
 * @param account - whose
 * @returns the record, or undefined when there is none
 * @throws ControlError when it cannot be used or read
 */
export function recordOf({ store }: RecordPorts, account: Account): EnrolmentRecord | undefined {
  try {
    return store.read(account);
  } catch (error) {
    if (error instanceof RecordError) {
      throw new ControlError(
        409,
        error.code,
        `The record of ${account.name} cannot be used: ${error.message}`,
      );
    }
    throw unavailable('read', error);
  }
}

/**
 * Lists the users who have a record.
 *
 * @param ports - the store
 * @returns their names, sorted
 * @throws ControlError when the store cannot be read, which is not the same as an empty store
 */
export function usersOf({ store }: RecordPorts): readonly string[] {
  try {
    return store.users();
  } catch (error) {
    throw unavailable('read', error);
  }
}

/**
 * Makes a change of a record.
 *
 * @param change - makes the change
 * @returns its result
 * @throws ControlError when the record does not allow it
 */
export function refusing<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof ChangeError) {
      throw new ControlError(error.code === 'ERR_NO_SUCH_FACTOR' ? 404 : 409, error.code, error.message);
    }
    throw error;
  }
}

/**
 * Writes a change of a user's record.
 *
 * @param ports - the log
 * @param account - whose
 * @param write - writes it
 * @throws ControlError when the store does not take it
 */
export function saved({ log }: { readonly log: Log }, { name }: Account, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof NotDurableError) {
      log.event('error', `A change of the factors of ${loggable(name)} could not be made durable`);
    }
    throw unavailable('written', error);
  }
}

/**
 * The refusal of a request when the store fails.
 *
 * @param what - the operation that failed
 * @param error - of the store
 * @returns the refusal
 */
export function unavailable(what: 'read' | 'written', error?: unknown): ControlError {
  if (error instanceof NotDurableError) {
    return new ControlError(
      503,
      'ERR_STORE',
      'The change was made, but the disk did not confirm it, so it may be lost. Check with "pve-google-authenticator list" before you try again.',
    );
  }
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return what === 'read'
    ? new ControlError(
        503,
        'ERR_STORE',
        `The store cannot be read${code}, so nobody's factors are known. To find the cause: sudo pve-google-authenticator doctor`,
      )
    : new ControlError(503, 'ERR_STORE', `The store cannot be written${code}.`, 'Nothing was changed.');
}

/**
 * A factor as the log names it.
 *
 * @param factor - the factor
 * @returns for example `totp:pixel-7`
 */
export function logName({ kind, name }: StoredFactor): string {
  return `${kind}:${name}`;
}
