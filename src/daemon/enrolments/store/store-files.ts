import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { readSmallFile, type SmallFile } from '../../../host/small-file.ts';
import { MAX_RECORD_BYTES } from './record.ts';
import { RecordError } from './record-error.ts';

/* Reads and writes files of the store, atomically and durably. */

/** The schema that this program reads and writes. An earlier one is upgraded: upgrade-store.ts. */
export const STORE_SCHEMA = 1;
/** Says which schema the store has, and holds the key of the hashes of recovery codes. */
export const MARKER = 'store.json';
/** The directory of the records. */
export const ENROLMENTS = 'enrolments';

const OWNER_ONLY = 0o600;
export const OWNER_ONLY_DIRECTORY = 0o700;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** A change was made, but not durably: a power cut may undo it. */
export class NotDurableError extends Error {
  readonly code = 'ERR_NOT_DURABLE';
  /** @param cause - why */
  constructor(cause: unknown) {
    super('The change could not be made durable', { cause });
    this.name = 'NotDurableError';
  }
}

/** Converts a name below the state directory to a path. */
export interface StoreFiles {
  path(relative: string): string;
}

/**
 * Reads a file of the store as a whole.
 *
 * @param files - the state directory
 * @param name - below it
 * @returns its text, and its state when it was read
 * @throws RecordError when it is not a regular file of a possible size; Error of the system
 */
export function readFile(files: StoreFiles, name: string): SmallFile {
  const file = readSmallFile(files.path(name), MAX_RECORD_BYTES);
  if (file === undefined) {
    throw new RecordError(`it is not a regular file of at most ${MAX_RECORD_BYTES} bytes`);
  }
  return file;
}

/**
 * Writes a file of the store atomically and durably.
 *
 * @param files - the state directory
 * @param directory - below it, with a slash at the end; or empty
 * @param name - in that directory
 * @param text - what it shall hold
 * @throws NotDurableError when it is written, but a power cut may undo it; Error of the system when nothing was changed
 */
export function writeFile(files: StoreFiles, directory: string, name: string, text: string): void {
  // The dot keeps half-written files out of the list of users.
  const temporary = files.path(`${directory}.${name}.new`);
  try {
    writeAndSync(temporary, text);
    renameSync(temporary, files.path(directory + name));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  syncDirectory(files, directory);
}

/**
 * Makes a change of names durable, after it was made.
 *
 * @param files - the state directory
 * @param directory - below it; empty: itself
 * @throws NotDurableError
 */
export function syncDirectory(files: StoreFiles, directory: string): void {
  try {
    const fd = openSync(files.path(directory), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw new NotDurableError(error);
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
