import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  openSync,
  readdirSync,
  readSync,
  type promises,
} from 'node:fs';
import { promisify } from 'node:util';
import { scanJournal } from './batch.ts';
import { ENTRY_WORDS } from './entry.ts';
import { JournalFile, journalBytesFor, MOST_JOURNAL_BYTES } from './journal-file.ts';
import { MOST_MARKS } from './limits.ts';
import { Marks, type Undecided } from './marks.ts';
import { PART_ENTRIES, readSnapshot, snapshotBytes, type ReadableFile } from './snapshot.ts';

/** Loaded when a generation is begun: a start that goes on with the last one does not wait for it. */
const disk = (): typeof promises => process.getBuiltinModule('node:fs/promises');

const syncFile = promisify(fsync);

const SNAPSHOT = 'snapshot';
const NEW_SNAPSHOT = `${SNAPSHOT}.new`;
const JOURNAL = /^journal\.(\d{1,15})$/;
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY = 0o600;

/** Where a journal that ends well can be continued. */
export interface OpenEnd {
  readonly generation: number;
  /** Where its last batch ends, in bytes. */
  readonly end: number;
  /** The number of that batch. */
  readonly sequence: number;
  /** Whether its daemon ended it, and it has room for many more batches. */
  readonly inviting: boolean;
}

/** The contents of a ledger's directory. */
export interface LoadedLedger {
  readonly marks: Marks;
  /** The newest generation that any file names; 0 when there is none. */
  readonly generation: number;
  /** Whether nothing was ever written here. */
  readonly empty: boolean;
  /** What cannot be read, in words, with the file's name. Empty if all is well. */
  readonly damages: readonly string[];
  /** Where the newest journal can be continued; undefined if it cannot. */
  readonly openEnd: OpenEnd | undefined;
}

/** The files of a ledger: one snapshot, and the journals since. */
export class LedgerDirectory {
  readonly #path: string;
  readonly #journalBytes: number | undefined;

  /**
   * @param path - of the directory
   * @param journalBytes - size of a journal; left out: by the number of marks
   */
  constructor(path: string, journalBytes?: number) {
    this.#path = path;
    this.#journalBytes = journalBytes;
  }

  /** Makes the directory if it is not there. */
  async create(): Promise<void> {
    await disk().mkdir(this.#path, { mode: OWNER_ONLY_DIRECTORY, recursive: true });
  }

  /**
   * Reads everything that is readable.
   *
   * @returns the marks, and what is damaged; also if the directory itself is missing or unreadable
   */
  load(): LoadedLedger {
    try {
      return this.#loadFiles(readdirSync(this.#path));
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
      const damages = code === 'ENOENT' ? [] : [`it cannot be read (${code})`];
      return { marks: new Marks(), generation: 0, empty: damages.length === 0, damages, openEnd: undefined };
    }
  }

  #loadFiles(names: readonly string[]): LoadedLedger {
    const generations = names
      .flatMap((name) => JOURNAL.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    const damages: string[] = [];
    const { marks, from } = names.includes(SNAPSHOT)
      ? this.#loadSnapshot(damages)
      : { marks: new Marks(), from: undefined };
    if (!names.includes(SNAPSHOT) && generations.length > 0) {
      damages.push(`${SNAPSHOT}: it is missing`);
    }
    let openEnd: OpenEnd | undefined;
    for (const generation of generations) {
      openEnd = this.#loadJournal(generation, marks, damages, from);
    }
    const generation = Math.max(from ?? 0, ...generations);
    const missing = from === undefined ? undefined : firstMissing(from, generations);
    if (missing !== undefined) {
      damages.push(`journal.${missing}: it is missing`);
    }
    if (marks.size >= MOST_MARKS) {
      damages.push(`it holds more than ${MOST_MARKS} marks, so the rest was not read`);
    }
    const empty = !names.includes(SNAPSHOT) && generations.length === 0;
    // Only the snapshot's own journal can be continued. A later journal was begun because its snapshot could not be written.
    const goesOn = damages.length === 0 && openEnd?.generation === from ? openEnd : undefined;
    return { marks, generation, empty, damages, openEnd: goesOn };
  }

  /** Nothing from a damaged snapshot counts: a wrong mark would lock its owner out. */
  #loadSnapshot(damages: string[]): { marks: Marks; from: number | undefined } {
    const marks = new Marks();
    const from = reading(this.#file(SNAPSHOT), (file) =>
      readSnapshot(file, (words) => takeInto(marks, words)),
    );
    if (from === undefined) {
      damages.push(`${SNAPSHOT}: its checksum is wrong`);
      return { marks: new Marks(), from };
    }
    return { marks, from };
  }

  /**
   * A crash may leave a journal that is older than the snapshot; its marks are already in the snapshot. A later journal is empty,
   * because it is used only once its own snapshot exists.
   */
  #loadJournal(
    generation: number,
    marks: Marks,
    damages: string[],
    snapshot: number | undefined,
  ): OpenEnd | undefined {
    if (snapshot !== undefined && generation < snapshot) {
      return undefined;
    }
    const name = `journal.${generation}`;
    const { size, ...scan } = reading(this.#file(name), (file) => ({
      ...scanJournal(file.read(MOST_JOURNAL_BYTES + 1), generation, (words) => takeInto(marks, words)),
      size: file.size,
    }));
    if (scan.condition === 'damaged') {
      damages.push(`${name}: ${scan.damage ?? 'it is damaged'}`);
    } else if (snapshot !== undefined && generation > snapshot && scan.sequence > 0) {
      damages.push(`${SNAPSHOT}: it is older than ${name}`);
    }
    const { condition, current, end, sequence, ended } = scan;
    return condition === 'clean' && current
      ? { generation, end, sequence, inviting: ended && end * 2 <= size }
      : undefined;
  }

  /**
   * Begins a new generation: a snapshot of all marks and an empty journal. Everything that was durable stays durable until both
   * are.
   *
   * @param marks - all marks
   * @param generation - the new one: the next after the last that was begun
   * @param undecided - the claims that are undecided at the moment of the call: the snapshot leaves them out
   * @param now - seconds since 1970; expired marks are left out, too
   * @returns the new journal
   * @throws Error of the system when the disk does not take it; the files of the last generation are untouched then
   */
  async begin(
    marks: Marks,
    generation: number,
    undecided: () => readonly Undecided[] = () => [],
    now = 0,
  ): Promise<JournalFile> {
    const journal = await JournalFile.create(
      this.#file(`journal.${generation}`),
      generation,
      this.#journalBytes ?? journalBytesFor(marks.size),
    );
    try {
      await this.#sync();
      await this.#writeSnapshot(snapshotBytes(generation, marks.parts(undecided, PART_ENTRIES, now)));
    } catch (error) {
      await journal.close();
      // It is empty, and would take space on a full disk.
      await disk()
        .rm(this.#file(`journal.${generation}`), { force: true })
        .catch(() => undefined);
      throw error;
    }
    try {
      await disk().rename(this.#file(NEW_SNAPSHOT), this.#file(SNAPSHOT));
      await this.#sync();
    } catch (error) {
      // The new snapshot may or may not have its name. If it does, its journal must exist.
      await journal.close();
      throw error;
    }
    await this.#removeOlderThan(generation);
    return journal;
  }

  /**
   * Continues the existing journal. First, its contents and the names of the files are made durable, because after a kill they
   * may exist only in the kernel's cache. Otherwise a power cut could lose a batch from the middle of the journal.
   *
   * @param openEnd - of {@link LoadedLedger}
   * @returns the journal
   * @throws Error of the system
   */
  async goOn({ generation, end, sequence }: OpenEnd): Promise<JournalFile> {
    const journal = await JournalFile.reopen(this.#file(`journal.${generation}`), generation, end, sequence);
    try {
      await this.#sync();
      return journal;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /**
   * Gives the damaged files a second name, so that an administrator can still examine them after a new generation replaced them.
   * They also keep their own name until then, because their readable part must not be lost.
   *
   * @param suffix - added to the names
   * @throws Error of the system
   */
  async keepAside(suffix: string): Promise<void> {
    for (const name of readdirSync(this.#path)) {
      if (name === SNAPSHOT || JOURNAL.test(name)) {
        await disk().link(this.#file(name), this.#file(`damaged-${suffix}-${name}`));
      }
    }
  }

  async #writeSnapshot(parts: Iterable<Buffer>): Promise<void> {
    const file = await disk().open(this.#file(NEW_SNAPSHOT), 'w', OWNER_ONLY);
    try {
      for (const part of parts) {
        await file.writeFile(part);
      }
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** Makes the names in the directory durable. */
  async #sync(): Promise<void> {
    const directory = openSync(this.#path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await syncFile(directory);
    } finally {
      closeSync(directory);
    }
  }

  async #removeOlderThan(generation: number): Promise<void> {
    for (const name of readdirSync(this.#path)) {
      const match = JOURNAL.exec(name);
      if (match !== null && Number(match[1]) < generation) {
        await disk()
          .rm(this.#file(name), { force: true })
          .catch(() => undefined);
      }
    }
  }

  #file(name: string): string {
    return `${this.#path}/${name}`;
  }
}

/** Every journal since the snapshot must exist, because a new generation starts only after the last one was begun. */
function firstMissing(from: number, generations: readonly number[]): number | undefined {
  let wanted = from;
  for (const generation of generations.filter((one) => one >= from)) {
    if (generation !== wanted) {
      return wanted;
    }
    wanted += 1;
  }
  return wanted === from ? from : undefined;
}

function takeInto(marks: Marks, words: Uint32Array): void {
  for (let offset = 0; offset < words.length; offset += ENTRY_WORDS) {
    marks.load(words, offset);
  }
}

/** Opens a file, passes it on to be read from its beginning, and closes it. */
function reading<T>(path: string, read: (file: ReadableFile) => T): T {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(fd);
    let room = Buffer.alloc(0);
    return read({
      size,
      read: (bytes) => {
        const wanted = Math.min(bytes, size);
        if (room.length < wanted) {
          room = Buffer.alloc(wanted);
        }
        return room.subarray(0, readFully(fd, room.subarray(0, wanted)));
      },
    });
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, into: Buffer): number {
  let end = 0;
  for (let read = -1; read !== 0 && end < into.length; end += read) {
    read = readSync(fd, into, end, into.length - end, null);
  }
  return end;
}
