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
/** The least size: a full journal costs a snapshot, so it should not fill too soon. */
const SNAPSHOTS_PER_JOURNAL = 8;
/** The largest size: a larger file is not our journal. */
export const MOST_JOURNAL_BYTES = MOST_MEBIBYTES * MEBIBYTE;

/**
 * The size of a journal. A new journal is filled with zeros, so that no sync waits for new blocks.
 *
 * @param marks - in the snapshot that comes before it
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

/** Never follows a link. */
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
/** Each write returns when its bytes are on the disk. This saves a separate sync. */
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
   * Makes a new journal and syncs it. It gets its name when it is complete. The caller makes the name durable.
   *
   * @param path - of the file; an existing file is replaced
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
   * Opens a journal to continue it, and syncs its contents.
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

  /** @returns whether an append failed. Then the contents after the last good batch are unknown. */
  get broken(): boolean {
    return this.#broken;
  }

  /** @returns whether a batch of so many entries still fits */
  fits(entries: number): boolean {
    return !this.#broken && this.#end + HEADER_BYTES + entries * ENTRY_BYTES <= this.#size;
  }

  /**
   * Appends a batch and makes it durable, and blocks the thread meanwhile. Use it when nobody else waits.
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
   * Appends a batch and makes it durable, in a thread of the pool.
   *
   * @param entries - the batch
   * @throws Error of the system; the journal is broken then
   */
  async append(entries: readonly Entry[]): Promise<void> {
    const batch = this.#begin(entries);
    await writeAll(this.#fd, batch, this.#end);
    this.#complete(batch);
  }

  /** Marks in the file that it ends here, if the disk allows it. */
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

  /** Its blocks exist already, so no write waits for new ones. It counts as broken until it is complete. */
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

/** An incomplete journal must not take space on a full disk. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The first error is the one to report.
  }
}

/** A short write is an error: the disk is full, and the next write would fail. */
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
