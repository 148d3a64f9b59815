import type { Account } from '../enrolments/enrolment.ts';
import { keysOf } from '../enrolments/store/factor-keys.ts';
import { releaseMarks } from '../enrolments/store/released-marks.ts';
import { NotDurableError } from '../enrolments/store/store-files.ts';
import type { EnrolmentRecord, StoredFactor } from '../enrolments/store/record.ts';
import { RecordError } from '../enrolments/store/record-error.ts';
import type { Store } from '../enrolments/store/store.ts';
import { nameService } from '../../host/name-service.ts';
import type { WholeLedger } from '../ledger/ledger.ts';
import { loggable } from '../../log/escape.ts';
import type { Log } from '../../log/log.ts';
import { z } from '../../contracts/schema.ts';
import { answered, existingAccount, ROOT } from './callers.ts';
import { ControlError } from './control-error.ts';
import { changing } from './factor-requests.ts';
import { recordOf, saved, unavailable } from './records.ts';
import type { RenamedUser } from '../../contracts/control-requests.ts';

/** What renaming a user needs. */
export interface RenamePorts {
  readonly store: Store;
  readonly ledger: WholeLedger;
  readonly log: Log;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

const bodySchema = z.strictObject({ to: z.string() });

/**
 * Gives a record to the new name of its user. Used codes stay used, and every factor keeps working. There are three steps. The
 * first makes the record useless under the old name, and the last makes it valid under the new name. If the machine stops between
 * them, the record lets nobody in, and the same request can be repeated.
 *
 * @param ports - store, ledger, log
 * @param from - the name under which the record is; no account has it any more
 * @param body - `{ to }`: the account's name now, not yet checked
 * @returns both names
 * @throws ControlError when the names are not of one person, or the disk fails
 */
export async function renameUser(ports: RenamePorts, from: string, body: unknown): Promise<RenamedUser> {
  const { data } = bodySchema.safeParse(body);
  if (data === undefined) {
    throw new ControlError(400, 'ERR_BAD_REQUEST', 'to: not a text');
  }
  const account = await existingAccount(data.to);
  const old = from.includes('\0') ? undefined : await answered(nameService.userNamed(from, ROOT));
  if (old?.name === from) {
    throw new ControlError(
      409,
      'ERR_NOT_RENAMED',
      `${loggable(from)} is still an account of this machine, so it keeps its record. To enrol ${account.name}: pve-google-authenticator --user=${account.name}`,
    );
  }
  return changing.run(from, () => changing.run(account.name, () => renamed(ports, from, account)));
}

async function renamed(ports: RenamePorts, from: string, account: Account): Promise<RenamedUser> {
  const { store, ledger, log } = ports;
  const record = renamedRecord(recordUnder(ports, from), from, account);
  assertNoRecord(ports, account);
  // Before anything is changed, this finds out whether the ledger can be written.
  if (!(await carryMarks(ports, from, record))) {
    throw unavailable('written');
  }
  saved(ports, account, () => store.writeUnder(from, record));
  // A login that has already read the old record uses its code up first.
  await new Promise((resolve) => setImmediate(resolve));
  if (!(await carryMarks(ports, from, record))) {
    throw half(from, account);
  }
  try {
    store.move(from, record);
  } catch (error) {
    throw error instanceof NotDurableError ? unavailable('written', error) : half(from, account);
  }
  releaseMarks(ledger, { ...record, user: from }, { ...record, user: from, factors: [] }, ports.now());
  log.audit('notice', `The record of ${loggable(from)} now belongs to ${loggable(account.name)}`, {
    uid: account.uid,
  });
  return { from, user: account.name };
}

function recordUnder({ store }: RenamePorts, from: string): EnrolmentRecord {
  let record: EnrolmentRecord | undefined;
  try {
    record = store.readUnder(from);
  } catch (error) {
    throw error instanceof RecordError
      ? new ControlError(409, error.code, `The record of ${loggable(from)} cannot be used: ${error.message}`)
      : unavailable('read', error);
  }
  if (record === undefined) {
    throw new ControlError(404, 'ERR_NO_RECORD', `There is no record of ${loggable(from)}`);
  }
  return record;
}

/** The record for the new name. If it already has the new name, the machine stopped during an earlier request. */
function renamedRecord(record: EnrolmentRecord, from: string, { name, uid }: Account): EnrolmentRecord {
  if (record.uid !== uid || (record.user !== from && record.user !== name)) {
    throw new ControlError(
      409,
      'ERR_NOT_RENAMED',
      `The record of ${loggable(from)} belongs to ${loggable(record.user)} (uid ${record.uid}), not to ${name} (uid ${uid})`,
    );
  }
  return { ...record, user: name, factors: record.factors.map((factor) => madeFor(factor, from)) };
}

function madeFor(factor: StoredFactor, from: string): StoredFactor {
  return factor.kind === 'recovery' ? { ...factor, madeFor: factor.madeFor ?? from } : factor;
}

function assertNoRecord(ports: RenamePorts, account: Account): void {
  if (recordOf(ports, account) !== undefined) {
    throw new ControlError(
      409,
      'ERR_HAS_RECORD',
      `${account.name} has factors of its own: remove them first (pve-google-authenticator list --user ${account.name}), or keep those`,
    );
  }
}

/** Whether all marks of the old name are also kept under the new one. */
async function carryMarks(
  { ledger }: RenamePorts,
  from: string,
  { user, uid, factors }: EnrolmentRecord,
): Promise<boolean> {
  const kept = ledger.of({ uid, keep: 'always' });
  const advances = factors.flatMap((factor) => {
    const after = keysOf(user, factor);
    return keysOf(from, factor).flatMap((key, index) => {
      const mark = ledger.mark(key);
      const now = after[index];
      return mark === undefined || now === undefined
        ? []
        : [kept.advance(now, mark.value, { kind: 'counter' })];
    });
  });
  const carried = (await Promise.all(advances)).every((advance) => advance !== 'unavailable');
  // Some marks may exist, from a time when the person had that name before.
  return (
    carried &&
    ledger.hold(
      uid,
      factors.flatMap((factor) => keysOf(user, factor)),
    )
  );
}

function half(from: string, { name }: Account): ControlError {
  return new ControlError(
    503,
    'ERR_STORE',
    `The disk failed halfway. Run the same command again: until then, the record of ${loggable(from)} lets nobody in, and ${name} is refused.`,
  );
}
