import type { Entry } from './entry.ts';
import type { JournalFile } from './journal-file.ts';
import { LedgerDirectory } from './ledger-directory.ts';
import type { Marks } from './marks.ts';

/** A journal in /run takes memory, and serves only while the disk does not. */
const JOURNAL_BYTES = 64 * 1024;

/**
 * Marks in a directory that lasts until the machine is booted: /run. They bridge the time in which the state directory cannot be
 * written, also over a restart of the daemon.
 */
export class VolatileMarks {
  readonly #directory: LedgerDirectory;
  #generation = 0;
  #journal: JournalFile | undefined;

  /** @param path - of the directory, on a file system in memory */
  constructor(path: string) {
    this.#directory = new LedgerDirectory(path, JOURNAL_BYTES);
  }

  /**
   * Reads what an earlier daemon left.
   *
   * @returns everything that can be read; nothing when there is nothing. A mark too many does no harm, so damage is no error.
   */
  load(): readonly Entry[] {
    try {
      const loaded = this.#directory.load();
      this.#generation = loaded.generation;
      return loaded.marks.entries();
    } catch {
      return [];
    }
  }

  /**
   * Notes entries so that the next daemon finds them.
   *
   * @param entries - new marks
   * @param marks - all marks, with the new ones
   * @returns whether it worked
   */
  async append(entries: readonly Entry[], marks: Marks): Promise<boolean> {
    try {
      if (this.#journal?.fits(entries.length) === true) {
        await this.#journal.append(entries);
        return true;
      }
      await this.#journal?.close();
      await this.#directory.create();
      this.#generation += 1;
      this.#journal = await this.#directory.begin(marks, this.#generation);
      return true;
    } catch {
      return false;
    }
  }
}
