import type { Entry } from './entry.ts';
import type { JournalFile } from './journal-file.ts';
import type { OpenEnd } from './ledger-directory.ts';
import type { LedgerCondition, LocalLedgerOptions } from './local-ledger-options.ts';
import type { Marks, Undecided } from './marks.ts';

/* Writes commits to the journal, and starts new generations. */

/** The pause before the next try to write the ledger after a failure, in seconds. */
export const RETRY_SECONDS = 1;

/**
 * While the disk answers within this time (milliseconds), commits wait for it on the main thread, which saves two thread
 * switches. Other logins wait meanwhile, too.
 */
export const QUICK_COMMIT_MS = 5;

/** The memory from which the writer starts a generation. */
export interface LedgerMemory {
  readonly marks: Marks;
  /** @returns the claims that may still be refused: a snapshot must not contain them as used up */
  undecided(): readonly Undecided[];
  /** @returns the time, in seconds since 1970 */
  seconds(): number;
}

/**
 * Makes entries durable: in the journal, or in a new snapshot and journal if the old one is full or failed. After an
 * error a journal is never appended to again.
 */
export class LedgerWriter {
  readonly #options: LocalLedgerOptions;
  readonly #memory: LedgerMemory;
  #condition: LedgerCondition = 'sound';
  #generation: number;
  #journal: JournalFile | undefined;
  #triedAt = -Infinity;
  /** How long the last commit took, in milliseconds. */
  #lastTook = Infinity;
  /** Why the journal failed, so that its entries now wait for a new generation. */
  #failure: unknown;
  #wasSound = false;

  /**
   * @param options - what the ledger needs
   * @param memory - all marks
   * @param generation - of the files that were read
   */
  constructor(options: LocalLedgerOptions, memory: LedgerMemory, generation: number) {
    this.#options = options;
    this.#memory = memory;
    this.#generation = generation;
  }

  /** @returns the state of the ledger */
  get condition(): LedgerCondition {
    return this.#condition;
  }

  /** @returns whether anything could be written since it was opened; then nothing is lost */
  get wasSound(): boolean {
    return this.#wasSound;
  }

  /**
   * Tells that the files are damaged. Nothing is written before {@link begin}.
   *
   * @param damages - what is wrong with them
   */
  damaged(damages: readonly string[]): void {
    this.#condition = 'damaged';
    this.#options.reports.damaged(damages.join('; '));
  }

  /**
   * Whether this many entries can be written on the main thread.
   *
   * @param count - how many
   * @returns whether the disk is quick, and the journal has room
   */
  isQuickFor(count: number): boolean {
    return this.#lastTook <= QUICK_COMMIT_MS && this.#journal?.fits(count) === true;
  }

  /**
   * Writes entries while the caller waits.
   *
   * @param entries - after {@link isQuickFor} returned true
   * @returns whether they are durable; if not, {@link write} starts a generation that contains them
   */
  writeNow(entries: readonly Entry[]): boolean {
    const begun = this.#options.monotonic();
    try {
      this.#journal?.appendNow(entries);
      this.#wasSound ||= this.#journal !== undefined;
      return this.#journal !== undefined;
    } catch (error) {
      this.#failure = error;
      return false;
    } finally {
      this.#lastTook = this.#options.monotonic() - begun;
    }
  }

  /**
   * Writes entries in a thread of the pool. If the journal fails, a new generation contains them, because they are in memory
   * already.
   *
   * @param entries - the entries to make durable
   * @returns whether it is
   */
  async write(entries: readonly Entry[]): Promise<boolean> {
    const journal = this.#journal;
    if (this.#failure !== undefined) {
      this.#report(this.#failure);
      this.#failure = undefined;
    } else if (journal?.fits(entries.length) === true) {
      try {
        await this.#append(journal, entries);
        return true;
      } catch (error) {
        this.#report(error);
      }
    } else if (this.#condition === 'damaged' || this.#triedJustNow()) {
      return false;
    }
    return this.begin();
  }

  /**
   * Begins a new generation with all that is in memory.
   *
   * @returns whether it is durable
   */
  async begin(): Promise<boolean> {
    const outdated = this.#journal;
    this.#journal = undefined;
    await outdated?.close();
    this.#triedAt = this.#options.uptime();
    const now = this.#memory.seconds();
    try {
      // A claim that waits for the next commit may still be refused. Its code must then be valid, also for a daemon that starts
      // after a kill.
      const undecided = (): readonly Undecided[] => this.#memory.undecided();
      this.#journal = await this.#options.directory.begin(
        this.#memory.marks,
        this.#generation + 1,
        undecided,
        now,
      );
      this.#generation += 1;
      this.#memory.marks.prune(now);
    } catch (error) {
      this.#report(error);
      return false;
    }
    this.#wasSound = true;
    this.#sound();
    await this.#options.volatile.settled();
    return true;
  }

  /**
   * Goes on with the journal that was read, or begins a new generation. After a failed sync, the kernel shows bytes that are not
   * on the disk. So the journal is continued only if the last daemon marked its end.
   *
   * @param openEnd - where the journal ended well; undefined if it did not
   * @param unwritten - whether a new generation would differ from the files, because memory has more marks, or marks expired
   */
  async open(openEnd: OpenEnd | undefined, unwritten: boolean): Promise<void> {
    if (openEnd?.inviting === true && !unwritten && (await this.#goOn(openEnd))) {
      return;
    }
    // On a full disk there may be no room for a new one.
    if (!(await this.begin()) && openEnd !== undefined) {
      await this.#goOn(openEnd);
    }
  }

  /** Closes the journal. */
  async close(): Promise<void> {
    this.#journal?.end();
    await this.#journal?.close();
    this.#journal = undefined;
  }

  async #goOn(openEnd: OpenEnd): Promise<boolean> {
    try {
      this.#journal = await this.#options.directory.goOn(openEnd);
      this.#sound();
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }

  async #append(journal: JournalFile, entries: readonly Entry[]): Promise<void> {
    const begun = this.#options.monotonic();
    try {
      await journal.append(entries);
      this.#wasSound = true;
    } finally {
      this.#lastTook = this.#options.monotonic() - begun;
    }
  }

  #triedJustNow(): boolean {
    return this.#condition !== 'sound' && this.#options.uptime() - this.#triedAt < RETRY_SECONDS;
  }

  #sound(): void {
    if (this.#condition !== 'sound') {
      this.#condition = 'sound';
      this.#options.reports.recovered();
    }
  }

  #report(error: unknown): void {
    if (this.#condition === 'sound') {
      this.#condition = 'in-trouble';
      this.#options.reports.trouble(error instanceof Error ? error.message : String(error));
    }
  }
}
