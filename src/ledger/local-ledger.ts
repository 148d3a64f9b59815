import type { Entry } from './entry.ts';
import { MAX_BATCH_ENTRIES } from './batch.ts';
import type { JournalFile } from './journal-file.ts';
import type { Advance, Ledger, Mark } from './ledger.ts';
import type { LedgerDirectory } from './ledger-directory.ts';
import type { Marks } from './marks.ts';

/** What the ledger says about itself; the composition root puts it into the log. */
export interface LedgerReports {
  /** The ledger cannot be written, or cannot be read: what, in words. */
  trouble(what: string): void;
  /** It can be written again. */
  recovered(): void;
}

/** What a local ledger needs. */
export interface LocalLedgerOptions {
  /** Where its files are. */
  readonly directory: LedgerDirectory;
  readonly reports: LedgerReports;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Whether logins wait beside the one that is being committed: then they share a sync on the thread pool. */
  readonly crowded: () => boolean;
}

interface Waiting {
  readonly entry: Entry;
  readonly before: Mark | undefined;
  readonly resolve: (outcome: Advance) => void;
}

/**
 * The ledger of this machine: a map in memory, a journal that is synced before any answer leaves, and a snapshot. All commits
 * that wait at one moment share one sync.
 */
export class LocalLedger implements Ledger {
  readonly #directory: LedgerDirectory;
  readonly #reports: LedgerReports;
  readonly #now: () => number;
  readonly #crowded: () => boolean;
  readonly #marks: Marks;
  #generation: number;
  #journal: JournalFile | undefined;
  #waiting: Waiting[] = [];
  #committing = false;
  #inTrouble = false;

  private constructor(options: LocalLedgerOptions, marks: Marks, generation: number) {
    this.#directory = options.directory;
    this.#reports = options.reports;
    this.#now = options.now;
    this.#crowded = options.crowded;
    this.#marks = marks;
    this.#generation = generation;
  }

  /**
   * Reads the ledger from the disk and begins a new generation of it.
   *
   * @param options - what it needs
   * @returns the ledger
   * @throws Error when the ledger is damaged: the message says where
   */
  static async open(options: LocalLedgerOptions): Promise<LocalLedger> {
    const { marks, generation, empty, damages } = options.directory.load();
    if (empty || damages.length > 0) {
      throw new Error(
        `The ledger of used codes is damaged: ${empty ? 'its files are missing' : damages.join('; ')}`,
      );
    }
    const ledger = new LocalLedger(options, marks, generation);
    await ledger.#renew();
    return ledger;
  }

  mark(key: string): Mark | undefined {
    return this.#marks.get(key);
  }

  advance(key: string, value: number): Promise<Advance> {
    const before = this.#marks.get(key);
    const entry: Entry = { key, value, at: Math.floor(this.#now() / 1000) };
    if (!this.#marks.merge(entry)) {
      return Promise.resolve('spent');
    }
    return new Promise((resolve) => {
      this.#waiting.push({ entry, before, resolve });
      if (!this.#committing) {
        void this.#commitWaiting();
      }
    });
  }

  /** Waits for what is being committed, and closes the journal. */
  async close(): Promise<void> {
    while (this.#committing) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await this.#journal?.close();
    this.#journal = undefined;
  }

  async #commitWaiting(): Promise<void> {
    this.#committing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH_ENTRIES);
      const durable = await this.#commit(batch.map(({ entry }) => entry));
      this.#settle(batch, durable);
    }
    this.#committing = false;
  }

  /** What is not durable is taken back, the last first, so that it can be tried again: nobody was let in for it. */
  #settle(batch: readonly Waiting[], durable: boolean): void {
    if (!durable) {
      for (const { entry, before } of batch.toReversed()) {
        this.#marks.takeBack(entry, before);
      }
    }
    for (const { resolve } of batch) {
      resolve(durable ? 'advanced' : 'unavailable');
    }
  }

  /** After a failed append the journal is never used again: a fresh snapshot from memory holds the batch, too. */
  async #commit(entries: readonly Entry[]): Promise<boolean> {
    const journal = this.#journal;
    if (journal?.fits(entries.length) === true) {
      try {
        if (entries.length === 1 && !this.#crowded()) {
          journal.appendNow(entries);
        } else {
          await journal.append(entries);
        }
        return true;
      } catch (error) {
        this.#trouble(error);
      }
    }
    return this.#renew();
  }

  async #renew(): Promise<boolean> {
    const outdated = this.#journal;
    this.#journal = undefined;
    await outdated?.close();
    try {
      this.#generation += 1;
      this.#journal = await this.#directory.begin(this.#marks, this.#generation);
    } catch (error) {
      this.#trouble(error);
      return false;
    }
    if (this.#inTrouble) {
      this.#inTrouble = false;
      this.#reports.recovered();
    }
    return true;
  }

  #trouble(error: unknown): void {
    if (!this.#inTrouble) {
      this.#inTrouble = true;
      this.#reports.trouble(error instanceof Error ? error.message : String(error));
    }
  }
}
