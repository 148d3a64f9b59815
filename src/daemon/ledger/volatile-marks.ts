import { ENTRY_WORDS, readEntry, type Entry } from './entry.ts';
import type { JournalFile } from './journal-file.ts';
import { LedgerDirectory } from './ledger-directory.ts';
import { Marks } from './marks.ts';

/* The fallback journal in /run. */

/** The size of the journal. It takes memory, because /run is in memory, and it is needed only while the disk fails. */
const JOURNAL_BYTES = 64 * 1024;
const PART_ENTRIES = 256;

/**
 * Marks in /run, which last until the next boot. They are for the time in which the state directory cannot be written, and
 * survive a restart of the daemon. To save memory, only marks that are not on the disk are here.
 */
export class VolatileMarks {
  readonly #directory: LedgerDirectory;
  #generation = 0;
  #journal: JournalFile | undefined;
  #marks = new Marks();

  /** @param path - of the directory, on a file system in memory */
  constructor(path: string) {
    this.#directory = new LedgerDirectory(path, JOURNAL_BYTES);
  }

  /**
   * Reads the marks that an earlier daemon left.
   *
   * @param take - gets all readable marks. An extra mark does no harm, so damage is not an error.
   */
  load(take: (entry: Entry) => void): void {
    try {
      const { marks, generation } = this.#directory.load();
      this.#generation = generation;
      this.#marks = marks;
      for (const words of marks.parts(() => [], PART_ENTRIES)) {
        for (let offset = 0; offset < words.length; offset += ENTRY_WORDS) {
          take(readEntry(words, offset));
        }
      }
    } catch {
      // Treated like an empty directory.
    }
  }

  /**
   * Notes entries so that the next daemon finds them.
   *
   * @param entries - new marks
   * @returns whether it worked
   */
  async append(entries: readonly Entry[]): Promise<boolean> {
    const undecided = entries.map((entry) => ({ entry, before: this.#marks.entry(entry.key) }));
    entries.forEach((entry) => this.#marks.put(entry));
    try {
      await this.#write(entries);
      return true;
    } catch {
      undecided.toReversed().forEach((one) => this.#marks.takeBack(one));
      return false;
    }
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    if (this.#journal?.fits(entries.length) === true) {
      await this.#journal.append(entries);
      return;
    }
    await this.#journal?.close();
    await this.#directory.create();
    this.#journal = await this.#directory.begin(this.#marks, this.#generation + 1);
    this.#generation += 1;
  }

  /** Forgets the marks that are durable by now. The files stay until new marks come. */
  async settled(): Promise<void> {
    this.#marks = new Marks();
    await this.#journal?.close();
    this.#journal = undefined;
  }
}
