import { ChangeError } from './change-error.ts';
import type { EnrolmentRecord, StoredFactor } from './record.ts';
import { activeOf } from './store-enrolment.ts';

/* Removes, renames and pauses factors of a record. Pure. */

/**
 * Finds a factor.
 *
 * @param record - what the user has
 * @param idOrName - which factor; an id goes before a name
 * @returns the factor
 * @throws ChangeError when there is no such factor
 */
export function findFactor(record: EnrolmentRecord, idOrName: string): StoredFactor {
  const factor =
    record.factors.find(({ id }) => id === idOrName) ?? record.factors.find(({ name }) => name === idOrName);
  if (factor === undefined) {
    throw new ChangeError(
      'ERR_NO_SUCH_FACTOR',
      `${record.user} has no such factor: see "pve-google-authenticator list --user ${record.user}"`,
    );
  }
  return factor;
}

/**
 * Removes a factor.
 *
 * @param record - what the user has
 * @param idOrName - which factor
 * @returns the new record and the factor that is no longer in it
 * @throws ChangeError when there is no such factor
 */
export function removeFactor(
  record: EnrolmentRecord,
  idOrName: string,
): { record: EnrolmentRecord; factor: StoredFactor } {
  const factor = findFactor(record, idOrName);
  return { record: { ...record, factors: record.factors.filter((other) => other !== factor) }, factor };
}

/**
 * Gives a factor another name.
 *
 * @param record - what the user has
 * @param idOrName - which factor
 * @param name - its new name
 * @returns the new record
 * @throws ChangeError when there is no such factor, or another one has the name
 */
export function renameFactor(record: EnrolmentRecord, idOrName: string, name: string): EnrolmentRecord {
  const factor = findFactor(record, idOrName);
  if (record.factors.some((other) => other !== factor && other.name === name)) {
    throw new ChangeError(
      'ERR_NAME_TAKEN',
      `${record.user} has a factor named ${name} already: choose another name`,
    );
  }
  return replaced(record, factor, { ...factor, name });
}

/**
 * Pauses a factor, so that its codes are not accepted, or goes on with it.
 *
 * @param record - what the user has
 * @param idOrName - which factor
 * @param paused - whether it shall be paused
 * @returns the new record
 * @throws ChangeError when there is no such factor
 */
export function setPaused(record: EnrolmentRecord, idOrName: string, paused: boolean): EnrolmentRecord {
  const factor = findFactor(record, idOrName);
  return replaced(record, factor, { ...factor, paused: paused ? true : undefined });
}

/**
 * Makes sure that a user who has factors can log in with one of them.
 *
 * @param record - after a change
 * @throws ChangeError when nothing but paused factors would be left
 */
export function assertUsable(record: EnrolmentRecord): void {
  if (record.factors.length > 0 && activeOf(record.factors).length === 0) {
    throw new ChangeError(
      'ERR_NOTHING_ACTIVE',
      `${record.user} would have only paused factors, and could not log in any more: resume or add another factor first`,
    );
  }
}

function replaced(record: EnrolmentRecord, old: StoredFactor, factor: StoredFactor): EnrolmentRecord {
  return { ...record, factors: record.factors.map((other) => (other === old ? factor : other)) };
}
