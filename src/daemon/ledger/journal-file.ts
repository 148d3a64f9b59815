import {
  close,
  closeSync,
  constants,
  fstatSync,
  fsync,
  open,
  rename,
  unlinkSync,
  write,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { encodeBatch, HEADER_BYTES, journalHeader } from './batch.ts';
import { ENTRY_BYTES, type Entry } from './entry.ts';

const MEBIBYTE = 1024 * 1024;
const MOST_MEBIBYTES = 8;
/** A full journal costs a snapshot, which is to be worth it. */
const SNAPSHOTS_PER_JOURNAL = 8;
/** A larger file is not a journal of ours. */
export const MOST_JOURNAL_BYTES = MOST_MEBIBYTES * MEBIBYTE;

/**
 * The size of a journal. It is written full of zeros first, so that a sync need not wait for new blocks.
 *
 * @param marks - in the snapshot that it goes on from
 * @returns bytes
 */
export function journalBytesFor(marks: number): number {
  const mebibytes = Math.ceil((marks * ENTRY_BYTES) / SNAPSHOTS_PER_JOURNAL / MEBIBYTE);
  return Math.min(Math.max(mebibytes, 1), MOST_MEBIBYTES) * MEBIBYTE;
}

const openFile = promisify(open);
const syncFile = promisify(fsync);
const closeFile = promisify(close);
const renameFile = promisify(rename);

/** Never through a link; only for the owner. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** Each write ends when its bytes are on the disk: one call in place of a write and a sync. */
const APPEND = constants.O_WRONLY | constants.O_DSYNC | constants.O_NOFOLLOW;
const OWNER_ONLY = 0o600;

/** A journal that is open for appending. After an error it is broken, and never appended to again. */
export class JournalFile {
  readonly generation: number;
  readonly #fd: number;
  readonly #size: number;
  #end: number;
  #sequence: number;
  #broken = false;

  private constructor(fd: number, generation: number, size: number, end: number, sequence: number) {
    this.#fd = fd;
    this.generation = generation;
    this.#size = size;
    this.#end = end;
    this.#sequence = sequence;
  }

  /**
   * Makes a new journal and syncs it; it gets its name when it is whole. Making the name durable is the caller's matter.
   *
   * @param path - of the file; what is there is replaced
   * @param generation - of the journal
   * @param size - in bytes
   * @returns the journal, open
   * @throws Error of the system when the disk does not take it
   */
  static async create(path: string, generation: number, size: number): Promise<JournalFile> {
    const temporary = `${path}.new`;
    const fd = await openFile(temporary, CREATE, OWNER_ONLY);
    try {
      const zeros = Buffer.alloc(size);
      journalHeader(generation, size).copy(zeros);
      await writeAll(fd, zeros, 0);
      await syncFile(fd);
      const appending = await openFile(temporary, APPEND);
      try {
        await renameFile(temporary, path);
      } catch (error) {
        closeSync(appending);
        throw error;
      }
      return new JournalFile(appending, generation, size, HEADER_BYTES, 0);
    } catch (error) {
      removeQuietly(temporary);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /**
   * Opens a journal to go on with it, and syncs what is in it.
   *
   * @param path - of the file
   * @param generation - of the journal
   * @param end - where its last good batch ends
   * @param sequence - the number of that batch
   * @returns the journal, open
   * @throws Error of the system
   */
  static async reopen(path: string, generation: number, end: number, sequence: number): Promise<JournalFile> {
    const fd = await openFile(path, APPEND);
    try {
      await syncFile(fd);
      return new JournalFile(fd, generation, fstatSync(fd).size, end, sequence);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** @returns whether an append failed: what is on the disk behind the last good batch is unknown */
  get broken(): boolean {
    return this.#broken;
  }

  /** @returns whether a batch of so many entries still fits */
  fits(entries: number): boolean {
    return !this.#broken && this.#end + HEADER_BYTES + entries * ENTRY_BYTES <= this.#size;
  }

  /**
   * Appends a batch and makes it durable, without giving up the thread: right when nobody else waits.
   *
   * @param entries - the batch
   * @throws Error of the system; the journal is broken then
   */
  appendNow(entries: readonly Entry[]): void {
    const batch = this.#begin(entries);
    assertWhole(writeSync(this.#fd, batch, 0, batch.length, this.#end), batch);
    this.#complete(batch);
  }

  /**
   * Appends a batch and makes it durable. The disk is waited for on the thread pool.
   *
   * @param entries - the batch
   * @throws Error of the system; the journal is broken then
   */
  async append(entries: readonly Entry[]): Promise<void> {
    const batch = this.#begin(entries);
    await writeAll(this.#fd, batch, this.#end);
    this.#complete(batch);
  }

  /** Says in the file that it ends here, if it can be said. */
  end(): void {
    if (!this.fits(0)) {
      return;
    }
    try {
      this.appendNow([]);
    } catch {
      // Then the next daemon begins a new one.
    }
  }

  /** Closes the file. */
  async close(): Promise<void> {
    this.#broken = true;
    await closeFile(this.#fd).catch(() => undefined);
  }

  /** Its room is there already, so that no write waits for new blocks. It counts as broken until it is whole. */
  #begin(entries: readonly Entry[]): Buffer {
    if (this.#broken) {
      throw new Error('The journal is broken');
    }
    this.#broken = true;
    return encodeBatch(this.generation, this.#sequence + 1, entries);
  }

  #complete(batch: Buffer): void {
    this.#end += batch.length;
    this.#sequence += 1;
    this.#broken = false;
  }
}

/** A half-made journal must not fill a full disk any further. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The error that led here is the one to report.
  }
}

/** A short write is an error here: it means that the disk is full, and the next one would say so. */
async function writeAll(fd: number, bytes: Buffer, position: number): Promise<void> {
  const written = await new Promise<number>((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, count) => {
      if (error) {
        reject(error);
      } else {
        resolve(count);
      }
    });
  });
  assertWhole(written, bytes);
}

function assertWhole(written: number, bytes: Buffer): void {
  if (written !== bytes.length) {
    throw new Error(`Only ${written} of ${bytes.length} bytes were written`);
  }
}
