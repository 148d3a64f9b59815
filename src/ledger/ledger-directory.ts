import { readdirSync, readFileSync } from 'node:fs';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import { scanJournal } from './batch.ts';
import { JOURNAL_BYTES, JournalFile } from './journal-file.ts';
import { Marks } from './marks.ts';
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts';

const SNAPSHOT = 'snapshot';
const JOURNAL = /^journal\.(\d{1,15})$/;
const OWNER_ONLY_DIRECTORY = 0o700;
const OWNER_ONLY = 0o600;

/** Where a journal that ends well can be gone on with. */
interface OpenEnd {
  readonly generation: number;
  readonly end: number;
  readonly sequence: number;
}

/** What a directory of a ledger holds. */
export interface LoadedLedger {
  readonly marks: Marks;
  /** The newest generation that any file names; 0 when there is none. */
  readonly generation: number;
  /** Whether nothing was ever written here. */
  readonly empty: boolean;
  /** What cannot be read, in words, with the file's name; none when all is well. */
  readonly damages: readonly string[];
  /** Where the newest journal can be gone on with; undefined: nowhere. */
  readonly openEnd: OpenEnd | undefined;
}

/** The files of a ledger: one snapshot, and the journals since. */
export class LedgerDirectory {
  readonly #path: string;
  readonly #journalBytes: number;

  /**
   * @param path - of the directory
   * @param journalBytes - size of a journal
   */
  constructor(path: string, journalBytes: number = JOURNAL_BYTES) {
    this.#path = path;
    this.#journalBytes = journalBytes;
  }

  /** Makes the directory if it is not there. */
  async create(): Promise<void> {
    await mkdir(this.#path, { mode: OWNER_ONLY_DIRECTORY, recursive: true });
  }

  /**
   * Reads everything that can be read.
   *
   * @returns the marks, and what is damaged; also when the directory itself is not there or cannot be read
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
    const marks = new Marks();
    const damages: string[] = [];
    const from = names.includes(SNAPSHOT) ? this.#loadSnapshot(marks, damages) : undefined;
    if (!names.includes(SNAPSHOT) && generations.length > 0) {
      damages.push(`${SNAPSHOT}: it is missing`);
    }
    let openEnd: OpenEnd | undefined;
    for (const generation of generations) {
      openEnd = this.#loadJournal(generation, marks, damages, generation < (from ?? 0));
    }
    if (from !== undefined && !generations.includes(from)) {
      damages.push(`journal.${from}: it is missing`);
    }
    const generation = Math.max(from ?? 0, ...generations);
    const empty = !names.includes(SNAPSHOT) && generations.length === 0;
    // Only the snapshot's own journal: a later one was begun when its snapshot could not be written.
    const goesOn = damages.length === 0 && openEnd?.generation === from ? openEnd : undefined;
    return { marks, generation, empty, damages, openEnd: goesOn };
  }

  #loadSnapshot(marks: Marks, damages: string[]): number | undefined {
    const snapshot = decodeSnapshot(readFileSync(this.#file(SNAPSHOT)));
    if (snapshot === undefined) {
      damages.push(`${SNAPSHOT}: its checksum is wrong`);
      return undefined;
    }
    for (const entry of snapshot.entries) {
      marks.merge(entry);
    }
    return snapshot.generation;
  }

  /** A journal that is older than the snapshot was left behind by a crash: what it says is in the snapshot already. */
  #loadJournal(generation: number, marks: Marks, damages: string[], outdated: boolean): OpenEnd | undefined {
    const scan = scanJournal(readFileSync(this.#file(`journal.${generation}`)), generation);
    for (const entry of scan.entries) {
      marks.merge(entry);
    }
    if (scan.condition === 'damaged' && !outdated) {
      damages.push(`journal.${generation}: ${scan.damage ?? 'it is damaged'}`);
    }
    return scan.condition === 'clean' ? { generation, end: scan.end, sequence: scan.sequence } : undefined;
  }

  /**
   * Begins a new generation: a snapshot of all marks and an empty journal. What was durable before stays so until both are.
   *
   * @param marks - all marks
   * @param generation - the new one, larger than all before
   * @returns the new journal
   * @throws Error of the system when the disk does not take it; the files of the last generation are untouched then
   */
  async begin(marks: Marks, generation: number): Promise<JournalFile> {
    const journal = await JournalFile.create(
      this.#file(`journal.${generation}`),
      generation,
      this.#journalBytes,
    );
    try {
      await this.#sync();
      await this.#writeSnapshot(encodeSnapshot({ generation, entries: marks.entries() }));
    } catch (error) {
      await journal.close();
      // Nothing is in it, and on a full disk it would be in the way of the next try.
      await rm(this.#file(`journal.${generation}`), { force: true }).catch(() => undefined);
      throw error;
    }
    await this.#removeOlderThan(generation);
    return journal;
  }

  /**
   * Goes on with the journal that is there.
   *
   * @param openEnd - of {@link LoadedLedger}
   * @returns the journal
   * @throws Error of the system
   */
  goOn(openEnd: OpenEnd): Promise<JournalFile> {
    return JournalFile.reopen(
      this.#file(`journal.${openEnd.generation}`),
      openEnd.generation,
      openEnd.end,
      openEnd.sequence,
    );
  }

  /**
   * Gives the files that are there a second name, for whoever wants to look at them when a new generation has taken their place.
   * Until then they keep their own: what can be read of them must not be lost.
   *
   * @param suffix - added to the names
   * @throws Error of the system
   */
  async keepAside(suffix: string): Promise<void> {
    for (const name of readdirSync(this.#path)) {
      if (name === SNAPSHOT || JOURNAL.test(name)) {
        await link(this.#file(name), this.#file(`damaged-${suffix}-${name}`));
      }
    }
  }

  async #writeSnapshot(bytes: Buffer): Promise<void> {
    const temporary = this.#file(`${SNAPSHOT}.new`);
    const file = await open(temporary, 'w', OWNER_ONLY);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#file(SNAPSHOT));
    await this.#sync();
  }

  /** Makes the names in the directory durable. */
  async #sync(): Promise<void> {
    const directory = await open(this.#path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async #removeOlderThan(generation: number): Promise<void> {
    for (const name of readdirSync(this.#path)) {
      const match = JOURNAL.exec(name);
      if (match !== null && Number(match[1]) < generation) {
        await rm(this.#file(name), { force: true }).catch(() => undefined);
      }
    }
  }

  #file(name: string): string {
    return `${this.#path}/${name}`;
  }
}
