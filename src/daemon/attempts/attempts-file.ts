import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { AttemptTable, TABLE_BYTES } from './attempt-table.ts';
import { Tally, TALLY_BYTES } from './tally.ts';

const MAGIC = Buffer.from('pve-authenticator attempts 2\n');
const SECRET_AT = 32;
const SECRET_BYTES = 32;
const HEADER_BYTES = 4_096;
const CHECKSUM_AT = 16;
const CHECKSUM_BYTES = 4;
const CHUNK_BYTES = 32 * 1_024;
/** In the header: a bit for each chunk that was ever written to. A start reads no other. */
const WRITTEN_AT = SECRET_AT + SECRET_BYTES;
const WRITTEN_BYTES = TABLE_BYTES / CHUNK_BYTES / 8;
const FILE_BYTES = HEADER_BYTES + TABLE_BYTES;
const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** Receives reports about the file. */
export interface AttemptsFileReports {
  /** Counts live and die with this process. */
  lost(why: string): void;
}

/**
 * Counts that outlive the process, even after a kill: each change is in the kernel before the answer leaves, and nothing waits
 * for a disk. The file is in /run, so a reboot forgets the counts.
 *
 * @param path - of the file, in a directory that nobody else can write to
 * @param now - milliseconds since the machine was started
 * @param longestLock - no lock in the file lasts longer, in milliseconds
 * @param reports - where troubles go
 * @returns the counts that an earlier process left, or none
 */
export function openAttempts(
  path: string,
  now: () => number,
  longestLock: number,
  reports: AttemptsFileReports,
): AttemptTable {
  const table = Buffer.alloc(TABLE_BYTES);
  try {
    const { fd, secret, written } = opened(path);
    load({ fd, secret, written }, table, now(), longestLock);
    let failed = false;
    return new AttemptTable(secret, table, (offset, bytes) => {
      seal(bytes, secret);
      try {
        markWritten(fd, written, offset);
        writeSync(fd, bytes, 0, TALLY_BYTES, HEADER_BYTES + offset);
      } catch (error) {
        if (!failed) {
          failed = true;
          reports.lost(codeOf(error));
        }
      }
    });
  } catch (error) {
    reports.lost(codeOf(error));
    return inMemory(table);
  }
}

/** Counts that end with the process. */
export function inMemory(table: Buffer = Buffer.alloc(TABLE_BYTES)): AttemptTable {
  return new AttemptTable(randomBytes(SECRET_BYTES), table, () => undefined);
}

interface AttemptsFile {
  readonly fd: number;
  readonly secret: Buffer;
  /** A bit for each chunk. */
  readonly written: Buffer;
}

/** The file that is there, if it is ours; else a new one in its place. */
function opened(path: string): AttemptsFile {
  makeDirectory(dirname(path));
  const old = openOurs(path);
  if (old !== undefined) {
    const header = Buffer.alloc(HEADER_BYTES);
    readSync(old, header, 0, HEADER_BYTES, 0);
    if (header.subarray(0, MAGIC.length).equals(MAGIC)) {
      return {
        fd: old,
        secret: header.subarray(SECRET_AT, SECRET_AT + SECRET_BYTES),
        written: header.subarray(WRITTEN_AT, WRITTEN_AT + WRITTEN_BYTES),
      };
    }
    closeSync(old);
  }
  rmSync(path, { force: true });
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  fchmodSync(fd, 0o600);
  ftruncateSync(fd, FILE_BYTES);
  const secret = randomBytes(SECRET_BYTES);
  writeSync(fd, secret, 0, SECRET_BYTES, SECRET_AT);
  // The header comes last: without it, the next process makes a new file.
  writeSync(fd, MAGIC, 0, MAGIC.length, 0);
  return { fd, secret, written: Buffer.alloc(WRITTEN_BYTES) };
}

/** Needed if systemd did not make the directory. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') {
      throw error;
    }
  }
}

function openOurs(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  const status = fstatSync(fd);
  const ours =
    status.isFile() &&
    status.uid === process.geteuid?.() &&
    (status.mode & 0o777) === 0o600 &&
    status.nlink === 1 &&
    status.size === FILE_BYTES;
  if (!ours) {
    closeSync(fd);
    return undefined;
  }
  return fd;
}

/** Torn or foreign counts are left out. Unused places take no memory. */
function load({ fd, secret, written }: AttemptsFile, table: Buffer, now: number, longestLock: number): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (let offset = 0; offset < TABLE_BYTES; offset += CHUNK_BYTES) {
    if (!isWritten(written, offset)) {
      continue;
    }
    readSync(fd, chunk, 0, CHUNK_BYTES, HEADER_BYTES + offset);
    for (let at = 0; at < CHUNK_BYTES; at += TALLY_BYTES) {
      const sum = chunk.readUInt32LE(at + CHECKSUM_AT);
      if (sum === 0) {
        continue;
      }
      const bytes = chunk.subarray(at, at + TALLY_BYTES);
      if (checksum(bytes, secret) === sum) {
        const tally = new Tally(bytes, (changed) => {
          seal(changed.bytes, secret);
          writeSync(fd, changed.bytes, 0, TALLY_BYTES, HEADER_BYTES + offset + at);
        });
        tally.clampTo(now, longestLock);
        bytes.copy(table, offset + at);
      }
    }
  }
}

function isWritten(written: Buffer, offset: number): boolean {
  const chunk = Math.floor(offset / CHUNK_BYTES);
  return ((written[chunk >> 3] ?? 0) & (1 << (chunk & 7))) !== 0;
}

/** Before the chunk is written to: a process that is killed in between leaves a chunk too many to read, never one too few. */
function markWritten(fd: number, written: Buffer, offset: number): void {
  if (!isWritten(written, offset)) {
    const chunk = Math.floor(offset / CHUNK_BYTES);
    written[chunk >> 3] = (written[chunk >> 3] ?? 0) | (1 << (chunk & 7));
    writeSync(fd, written, chunk >> 3, 1, WRITTEN_AT + (chunk >> 3));
  }
}

function seal(bytes: Buffer, secret: Buffer): void {
  bytes.writeUInt32LE(checksum(bytes, secret), CHECKSUM_AT);
}

/** Never 0: an empty place has that checksum. */
function checksum(bytes: Buffer, secret: Buffer): number {
  const hash = createHash('sha256')
    .update(secret)
    .update(bytes.subarray(0, CHECKSUM_AT))
    .update(bytes.subarray(CHECKSUM_AT + CHECKSUM_BYTES));
  return (hash.digest().readUInt32LE(0) | 1) >>> 0;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be used';
}
