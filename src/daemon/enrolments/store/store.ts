import { randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, renameSync, unlinkSync } from 'node:fs';
import { RECOVERY_KEY_BYTES } from '../../../factors/recovery-code.ts';
import { isSmallFileStill, type FileIdentity, type SmallFile } from '../../../host/small-file.ts';
import { z } from '../../../contracts/schema.ts';
import type { Account } from '../enrolment.ts';
import { parseRecord } from './parse-record.ts';
import { recordFileName } from '../../../contracts/record-file-name.ts';
import { formatRecord, type EnrolmentRecord } from './record.ts';
import { RecordError } from './record-error.ts';
import {
  ENROLMENTS,
  MARKER,
  OWNER_ONLY_DIRECTORY,
  readFile,
  STORE_SCHEMA,
  syncDirectory,
  writeFile,
  type StoreFiles,
} from './store-files.ts';
import { UidIndex } from './uid-index.ts';

const markerSchema = z.strictObject({
  schema: z.literal(STORE_SCHEMA),
  /** Key of the hashes of recovery codes. */
  recoveryKey: z.hex().check(z.length(2 * RECOVERY_KEY_BYTES)),
});

/** Identifies a state of a record's file. */
interface Version {
  readonly identity: FileIdentity;
  /** How many changes of records this program had made by then. */
  readonly changes: number;
}

/** The daemon's own enrolments: one file per user. Only the daemon writes here. */
export class Store {
  readonly #files: StoreFiles;
  #recoveryKey: Buffer | undefined;
  #changes = 0;
  readonly #uids: UidIndex;
  readonly #versions = new WeakMap<EnrolmentRecord, Version>();

  /** @param files - the state directory */
  constructor(files: StoreFiles) {
    this.#files = files;
    this.#uids = new UidIndex(files);
  }

  /** @returns whether the marker exists, which shows that this is a store and not an empty mount point */
  get initialised(): boolean {
    try {
      return markerSchema.safeParse(JSON.parse(this.#read(MARKER))).success;
    } catch {
      return false;
    }
  }

  /**
   * The key of the hashes of recovery codes.
   *
   * @returns 32 bytes; read once, then kept
   * @throws Error when the marker cannot be read
   */
  get recoveryKey(): Uint8Array {
    this.#recoveryKey ??= Buffer.from(markerSchema.parse(JSON.parse(this.#read(MARKER))).recoveryKey, 'hex');
    return this.#recoveryKey;
  }

  /** @returns whether there is no record of any user */
  get empty(): boolean {
    try {
      return readdirSync(this.#files.path(ENROLMENTS)).length === 0;
    } catch (error) {
      return isMissing(error);
    }
  }

  /**
   * Makes a new, empty store. An existing store is left alone.
   *
   * @throws Error of the system when the disk does not take it
   */
  initialise(): void {
    mkdirSync(this.#files.path(ENROLMENTS), { mode: OWNER_ONLY_DIRECTORY, recursive: true });
    const recoveryKey = randomBytes(RECOVERY_KEY_BYTES).toString('hex');
    writeFile(this.#files, '', MARKER, `${JSON.stringify({ schema: STORE_SCHEMA, recoveryKey })}\n`);
  }

  /**
   * Reads a user's record.
   *
   * @param account - who
   * @returns the record, or undefined when there is none
   * @throws RecordError when there is one that is not readable or belongs to another user
   * @throws Error if it is unclear whether there is one
   */
  read(account: Account): EnrolmentRecord | undefined {
    const file = this.#fileOf(account.name);
    if (file === undefined) {
      return undefined;
    }
    const record = parseRecord(file.text);
    if (record.user !== account.name || record.uid !== account.uid) {
      throw new RecordError(
        `it belongs to ${record.user} (uid ${record.uid}), not to ${account.name} (uid ${account.uid})`,
      );
    }
    this.#versions.set(record, { identity: file.identity, changes: this.#changes });
    return record;
  }

  /**
   * Another name whose record has the same uid: an administrator renamed the account, or the name service now spells it
   * differently.
   *
   * @param account - who
   * @returns the other name, or undefined
   * @throws Error of the system if the look-up fails
   */
  otherName({ name, uid }: Account): string | undefined {
    const own = recordFileName(name);
    const other = this.#uids.filesOf(uid).find((file) => file !== own);
    return other === undefined ? undefined : (userOf(other) ?? other);
  }

  /**
   * Whether a user's record is still the one that was read, unchanged by this program and by administrators (who may restore a
   * copy).
   *
   * @param record - from {@link read}
   * @returns false also if that is unknown
   */
  isCurrent(record: EnrolmentRecord): boolean {
    const then = this.#versions.get(record);
    if (then?.changes !== this.#changes) {
      return false;
    }
    return isSmallFileStill(this.#files.path(`${ENROLMENTS}/${recordFileName(record.user)}`), then.identity);
  }

  /**
   * Writes a user's record atomically and durably.
   *
   * @param record - the record
   * @throws NotDurableError when it is there, but may not stay
   * @throws Error of the system when the disk does not take it: then nothing is changed
   */
  write(record: EnrolmentRecord): void {
    this.#changes += 1;
    this.#put(recordFileName(record.user), record);
  }

  /**
   * Removes a user's record.
   *
   * @param user - canonical name
   * @throws NotDurableError when it is gone, but may come back
   * @throws Error of the system: then nothing is changed
   */
  remove(user: string): void {
    this.#changes += 1;
    const name = recordFileName(user);
    this.#uids.changed({ [name]: undefined }, () => {
      unlinkSync(this.#files.path(`${ENROLMENTS}/${name}`));
      syncDirectory(this.#files, ENROLMENTS);
    });
  }

  /**
   * Reads the record under a name that may no longer have an account.
   *
   * @param user - the name
   * @returns the record, or undefined if there is none; it names its owner
   * @throws RecordError when it is not readable
   * @throws Error if it is unclear whether there is one
   */
  readUnder(user: string): EnrolmentRecord | undefined {
    const file = this.#fileOf(user);
    return file === undefined ? undefined : parseRecord(file.text);
  }

  /**
   * Writes a new owner's name into a record, but leaves it in its place. It lets nobody in until {@link move} has moved it.
   *
   * @param from - the name under which the record is
   * @param record - the new record, with the new name
   * @throws NotDurableError, Error of the system as {@link write}
   */
  writeUnder(from: string, record: EnrolmentRecord): void {
    this.#changes += 1;
    this.#put(recordFileName(from), record);
  }

  /**
   * Moves a record to the name of its owner.
   *
   * @param from - the name under which the record is
   * @param record - from {@link writeUnder}
   * @throws NotDurableError when it is moved, but may not stay
   * @throws Error of the system when it is where it was
   */
  move(from: string, { user, uid }: EnrolmentRecord): void {
    this.#changes += 1;
    const [old, name] = [recordFileName(from), recordFileName(user)];
    this.#uids.changed({ [old]: undefined, [name]: uid }, () => {
      renameSync(this.#files.path(`${ENROLMENTS}/${old}`), this.#files.path(`${ENROLMENTS}/${name}`));
      syncDirectory(this.#files, ENROLMENTS);
    });
  }

  /** @returns the canonical names of all users that have a record, sorted; files that no login would read do not count */
  users(): string[] {
    return readdirSync(this.#files.path(ENROLMENTS))
      .flatMap((name) => userOf(name) ?? [])
      .sort();
  }

  #put(name: string, record: EnrolmentRecord): void {
    this.#uids.changed({ [name]: record.uid }, () =>
      writeFile(this.#files, `${ENROLMENTS}/`, name, formatRecord(record)),
    );
  }

  /** The file's text; undefined only if it certainly does not exist. */
  #fileOf(user: string): SmallFile | undefined {
    try {
      return readFile(this.#files, `${ENROLMENTS}/${recordFileName(user)}`);
    } catch (error) {
      if (isMissing(error) && this.initialised && this.#isDirectory(ENROLMENTS)) {
        return undefined;
      }
      throw error;
    }
  }

  #read(name: string): string {
    return readFile(this.#files, name).text;
  }

  #isDirectory(name: string): boolean {
    return lstatSync(this.#files.path(name)).isDirectory();
  }
}

function userOf(fileName: string): string | undefined {
  try {
    const user = decodeURIComponent(fileName.replace(/\.json$/, ''));
    return user !== '' && recordFileName(user) === fileName ? user : undefined;
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
