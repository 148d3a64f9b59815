import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { RECOVERY_KEY_BYTES } from '../../factors/recovery-code.ts';
import { z } from '../../schema.ts';
import type { Account } from '../enrolment.ts';
import { parseRecord } from './parse-record.ts';
import { formatRecord, MAX_RECORD_BYTES, recordFileName, type EnrolmentRecord } from './record.ts';
import { RecordError } from './record-error.ts';

const MARKER = 'store.json';
const ENROLMENTS = 'enrolments';
const STORE_SCHEMA = 1;
const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;
/** Never through a link, never waiting for the other end of a pipe. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** Times to the nanosecond. */
const BIGINT = { bigint: true } as const;

const markerSchema = z.strictObject({
  schema: z.literal(STORE_SCHEMA),
  /** Key of the hashes of recovery codes. */
  recoveryKey: z.hex().check(z.length(2 * RECOVERY_KEY_BYTES)),
});

/** A change was made, but it could not be made durable: after a power cut the state of before may be there. */
export class NotDurableError extends Error {
  readonly code = 'ERR_NOT_DURABLE';
  /** @param cause - why */
  constructor(cause: unknown) {
    super('The change could not be made durable', { cause });
    this.name = 'NotDurableError';
  }
}

/** Where the store's files are: a name below the state directory to a path. */
export interface StoreFiles {
  path(relative: string): string;
}

/** What tells one state of a record's file from another. */
interface Version {
  readonly status: BigIntStats;
  /** How often this program had changed a record by then. */
  readonly changes: number;
}

/** The daemon's own enrolments: one file per user. Only the daemon writes here. */
export class Store {
  readonly #files: StoreFiles;
  #recoveryKey: Buffer | undefined;
  #changes = 0;
  readonly #versions = new WeakMap<EnrolmentRecord, Version>();

  /** @param files - the state directory */
  constructor(files: StoreFiles) {
    this.#files = files;
  }

  /** @returns whether the marker is there, which says that this directory is the store and not an empty mount point */
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
   * Makes a new, empty store. Only where there is none: an existing one is left as it is.
   *
   * @throws Error of the system when the disk does not take it
   */
  initialise(): void {
    mkdirSync(this.#files.path(ENROLMENTS), { mode: OWNER_ONLY_DIRECTORY, recursive: true });
    const recoveryKey = randomBytes(RECOVERY_KEY_BYTES).toString('hex');
    this.#write('', MARKER, `${JSON.stringify({ schema: STORE_SCHEMA, recoveryKey })}\n`);
  }

  /**
   * Reads a user's record.
   *
   * @param account - who
   * @returns the record, or undefined when there is none
   * @throws RecordError when there is one that is not readable or belongs to another user
   * @throws Error when it cannot be found out whether there is one
   */
  read(account: Account): EnrolmentRecord | undefined {
    let file: { readonly text: string; readonly status: BigIntStats };
    try {
      file = this.#readFile(`${ENROLMENTS}/${recordFileName(account.name)}`);
    } catch (error) {
      if (isMissing(error) && this.initialised && this.#isDirectory(ENROLMENTS)) {
        return undefined;
      }
      throw error;
    }
    const record = parseRecord(file.text);
    if (record.user !== account.name || record.uid !== account.uid) {
      throw new RecordError(
        `it belongs to ${record.user} (uid ${record.uid}), not to ${account.name} (uid ${account.uid})`,
      );
    }
    this.#versions.set(record, { status: file.status, changes: this.#changes });
    return record;
  }

  /**
   * Whether a user's record is still the one that was read: neither this program nor an administrator, who may put a copy in its
   * place, has changed it.
   *
   * @param record - from {@link read}
   * @returns false also when it cannot be found out
   */
  isCurrent(record: EnrolmentRecord): boolean {
    const then = this.#versions.get(record);
    if (then?.changes !== this.#changes) {
      return false;
    }
    try {
      const path = this.#files.path(`${ENROLMENTS}/${recordFileName(record.user)}`);
      return sameState(then.status, lstatSync(path, BIGINT));
    } catch {
      return false;
    }
  }

  /**
   * Writes a user's record: the old one or the new one is there, whatever happens, and the new one is durable afterwards.
   *
   * @param record - the record
   * @throws NotDurableError when it is there, but may not stay
   * @throws Error of the system when the disk does not take it: then nothing is changed
   */
  write(record: EnrolmentRecord): void {
    this.#changes += 1;
    this.#write(`${ENROLMENTS}/`, recordFileName(record.user), formatRecord(record));
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
    unlinkSync(this.#files.path(`${ENROLMENTS}/${recordFileName(user)}`));
    this.#syncDirectory(ENROLMENTS);
  }

  /** @returns the canonical names of all users that have a record, sorted; files that no login would read do not count */
  users(): string[] {
    return readdirSync(this.#files.path(ENROLMENTS))
      .flatMap((name) => userOf(name) ?? [])
      .sort();
  }

  #read(name: string): string {
    return this.#readFile(name).text;
  }

  #readFile(name: string): { text: string; status: BigIntStats } {
    const fd = openSync(this.#files.path(name), READ);
    try {
      const status = fstatSync(fd, BIGINT);
      if (!status.isFile() || status.size > MAX_RECORD_BYTES) {
        throw new RecordError(`it is not a regular file of at most ${MAX_RECORD_BYTES} bytes`);
      }
      return { text: readFileSync(fd, 'utf8'), status };
    } finally {
      closeSync(fd);
    }
  }

  #write(directory: string, name: string, text: string): void {
    // The dot keeps half-written files out of the list of users.
    const temporary = this.#files.path(`${directory}.${name}.new`);
    try {
      writeAndSync(temporary, text);
      renameSync(temporary, this.#files.path(directory + name));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    this.#syncDirectory(directory);
  }

  /** Makes a change of names durable, after it was made. */
  #syncDirectory(directory: string): void {
    try {
      const fd = openSync(this.#files.path(directory), constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      throw new NotDurableError(error);
    }
  }

  #isDirectory(name: string): boolean {
    return lstatSync(this.#files.path(name)).isDirectory();
  }
}

function writeAndSync(path: string, text: string): void {
  const bytes = Buffer.from(text);
  const fd = openSync(path, CREATE, OWNER_ONLY);
  try {
    if (writeSync(fd, bytes) !== bytes.length) {
      throw new Error('The disk took only a part of the record');
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
    bytes.fill(0);
  }
}

function sameState(one: BigIntStats, other: BigIntStats): boolean {
  return (
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.size === other.size &&
    one.mtimeNs === other.mtimeNs &&
    one.ctimeNs === other.ctimeNs
  );
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
