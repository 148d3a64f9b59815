import type { Entry } from './entry.ts';
import { MAX_BATCH_ENTRIES } from './batch.ts';
import type { JournalFile } from './journal-file.ts';
import type { Advance, Ledger, Mark, MarkKind, Notebook } from './ledger.ts';
import type { LedgerDirectory, LoadedLedger } from './ledger-directory.ts';
import type { Marks } from './marks.ts';
import type { VolatileMarks } from './volatile-marks.ts';

/** How often it is tried again to write a ledger that could not be written, in seconds. */
export const RETRY_SECONDS = 1;

/** Notes that wait for a commit; more stay in memory until the next snapshot. */
const MAX_NOTES = 1_024;

/**
 * A lone commit waits for the disk on the main thread, which saves two changes of threads, as long as the disk answers within this
 * time, in milliseconds. Logins that come meanwhile wait, too.
 */
export const QUICK_COMMIT_MS = 5;

/** What the ledger says about itself; the composition root puts it into the log. */
export interface LedgerReports {
  /** The ledger cannot be written: why. */
  trouble(why: string): void;
  /** It can be written again. */
  recovered(): void;
  /** What was written cannot be read: what. */
  damaged(what: string): void;
}

/** What a local ledger needs. */
export interface LocalLedgerOptions {
  /** Where its files are. */
  readonly directory: LedgerDirectory;
  /** Where the use of time steps is kept while the directory cannot be written. */
  readonly volatile: VolatileMarks;
  readonly reports: LedgerReports;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** Seconds since the machine was booted. */
  readonly uptime: () => number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  /** Whether logins wait beside the one that is being committed: then they share a sync on the thread pool. */
  readonly crowded: () => boolean;
}

/**
 * `sound`: the journal takes commits. `in-trouble`: it does not, time steps are kept in memory and in /run. `damaged`: the same,
 * and it stays so until somebody says repair.
 */
export type LedgerCondition = 'sound' | 'in-trouble' | 'damaged';

interface Waiting {
  readonly entry: Entry;
  readonly kind: MarkKind;
  /** What it goes back to if this is refused. */
  before: Mark | undefined;
  readonly resolve: (outcome: Advance) => void;
}

/**
 * The ledger of this machine: a map in memory, a journal that is synced before any answer leaves, and a snapshot. All commits
 * that wait at one moment share one sync.
 */
export class LocalLedger implements Ledger, Notebook {
  readonly #options: LocalLedgerOptions;
  readonly #marks: Marks;
  /** Uptime from which on nothing can be replayed that was lost: time steps need a whole window since then. */
  readonly #completeSince: number;
  #condition: LedgerCondition = 'sound';
  #generation: number;
  #journal: JournalFile | undefined;
  #triedAt = -Infinity;
  #waiting: Waiting[] = [];
  /** What goes along with the next commit. */
  #notes: Entry[] = [];
  #committing = false;
  /** How long the last commit took, in milliseconds. */
  #lastTook = Infinity;
  /** Whether a generation was begun since it was opened: then nothing is lost. */
  #wasSound = false;

  private constructor(options: LocalLedgerOptions, loaded: LoadedLedger, completeSince: number) {
    this.#options = options;
    this.#marks = loaded.marks;
    this.#generation = loaded.generation;
    this.#completeSince = completeSince;
  }

  /**
   * Reads the ledger from the disk and begins a new generation of it. It opens in any case: what is damaged or cannot be
   * written is reported, and decides what is accepted.
   *
   * @param options - what it needs
   * @returns the ledger
   */
  static async open(options: LocalLedgerOptions): Promise<LocalLedger> {
    const loaded = options.directory.load();
    const damages = loaded.empty ? ['its files are missing'] : loaded.damages;
    for (const entry of options.volatile.load()) {
      loaded.marks.merge(entry);
    }
    // What was used shortly before may be among what is lost: /run loses at boot, a damage whenever it came.
    const ledger = new LocalLedger(options, loaded, damages.length > 0 ? options.uptime() : 0);
    if (damages.length > 0) {
      ledger.#condition = 'damaged';
      options.reports.damaged(damages.join('; '));
    } else if (!(await ledger.#renew()) && loaded.openEnd !== undefined) {
      await ledger.#goOn(loaded.openEnd);
    }
    return ledger;
  }

  /** @returns what the ledger can do at the moment */
  get condition(): LedgerCondition {
    return this.#condition;
  }

  mark(key: string): Mark | undefined {
    return this.#marks.get(key);
  }

  advance(key: string, value: number, kind: MarkKind): Promise<Advance> {
    const before = this.#marks.get(key);
    const entry: Entry = { key, value, at: Math.floor(this.#options.now() / 1000) };
    if (!this.#marks.merge(entry)) {
      return Promise.resolve('spent');
    }
    return new Promise((resolve) => {
      this.#waiting.push({ entry, kind, before, resolve });
      if (!this.#committing) {
        void this.#commitWaiting();
      }
    });
  }

  note(key: string, value: number): void {
    const entry: Entry = { key, value, at: Math.floor(this.#options.now() / 1000) };
    if (this.#marks.merge(entry) && this.#notes.length < MAX_NOTES) {
      this.#notes.push(entry);
    }
  }

  /**
   * Accepts that what is damaged is lost: begins anew with everything that could be read, and keeps the damaged files beside it.
   *
   * @returns whether there was something to repair, and it is sound now
   */
  async repair(): Promise<boolean> {
    await this.#holdCommits();
    try {
      if (this.#condition !== 'damaged') {
        return false;
      }
      await this.#options.directory.create();
      await this.#options.directory.keepAside(String(this.#options.now()));
      return await this.#renew();
    } catch {
      return false;
    } finally {
      await this.#commitWaiting();
    }
  }

  /** When it could not be written: tries again, as the next login would. */
  async tryAgain(): Promise<void> {
    await this.#holdCommits();
    try {
      if (this.#condition === 'in-trouble') {
        await this.#renew();
      }
    } finally {
      await this.#commitWaiting();
    }
  }

  /** Waits for what is being committed, and closes the journal. Nothing can be used up afterwards. */
  async close(): Promise<void> {
    await this.#holdCommits();
    if (this.#notes.length > 0) {
      await this.#commitDurably([]);
    }
    await this.#journal?.close();
    this.#journal = undefined;
  }

  /**
   * Waits until nothing is being committed. From then on commits wait, until {@link #commitWaiting}: two generations that are begun at
   * one moment would each leave out what the other one holds.
   */
  async #holdCommits(): Promise<void> {
    while (this.#committing) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#committing = true;
  }

  async #commitWaiting(): Promise<void> {
    this.#committing = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH_ENTRIES - MAX_NOTES);
      await this.#commit(batch);
    }
    this.#committing = false;
  }

  async #commit(batch: readonly Waiting[]): Promise<void> {
    if (await this.#commitDurably(batch.map(({ entry }) => entry))) {
      settle(batch, 'advanced');
      return;
    }
    const timeSteps = batch.filter(({ kind }) => this.#outlivesReplay(kind));
    const refused = batch.filter((waiting) => !timeSteps.includes(waiting));
    this.#takeBack(refused);
    if (
      timeSteps.length > 0 &&
      !(await this.#options.volatile.append(
        timeSteps.map(({ entry }) => entry),
        this.#decided(),
      ))
    ) {
      this.#takeBack(timeSteps);
      settle(batch, 'unavailable');
      return;
    }
    settle(timeSteps, 'advanced');
    settle(refused, 'unavailable');
  }

  /** A time step whose use is only in /run may count when nothing that is lost could be replayed any more. */
  #outlivesReplay(kind: MarkKind): boolean {
    if (kind.kind === 'counter') {
      return false;
    }
    return this.#wasSound || this.#options.uptime() - this.#completeSince >= kind.validFor;
  }

  /** What is not recorded is taken back, the last first, so that it can be tried again: nobody was let in for it. */
  #takeBack(batch: readonly Waiting[]): void {
    for (const { entry, before } of batch.toReversed()) {
      this.#marks.takeBack(entry, before);
      // A later one that waits must not go back to what was refused.
      for (const later of this.#waiting) {
        if (later.entry.key === entry.key && later.before?.value === entry.value) {
          later.before = before;
        }
      }
    }
  }

  /** What waits for the next commit may be refused: its code must still be good then, also for the daemon that comes after a kill. */
  #decided(): Marks {
    return this.#marks.without(this.#waiting);
  }

  /** After a failed append the journal is never used again: a fresh snapshot from memory holds the batch, too. */
  async #commitDurably(commits: readonly Entry[]): Promise<boolean> {
    const journal = this.#journal;
    const entries = [...commits, ...this.#notes.splice(0)];
    if (journal?.fits(entries.length) === true) {
      try {
        await this.#append(journal, entries, commits.length === 1 && !this.#options.crowded());
        return true;
      } catch (error) {
        this.#report(error);
      }
    } else if (this.#condition === 'damaged' || this.#triedJustNow()) {
      return false;
    }
    return this.#renew();
  }

  async #append(journal: JournalFile, entries: readonly Entry[], alone: boolean): Promise<void> {
    const begun = this.#options.monotonic();
    try {
      if (alone && this.#lastTook <= QUICK_COMMIT_MS) {
        journal.appendNow(entries);
      } else {
        await journal.append(entries);
      }
    } finally {
      this.#lastTook = this.#options.monotonic() - begun;
    }
  }

  #triedJustNow(): boolean {
    return this.#condition !== 'sound' && this.#options.uptime() - this.#triedAt < RETRY_SECONDS;
  }

  async #renew(): Promise<boolean> {
    const outdated = this.#journal;
    this.#journal = undefined;
    await outdated?.close();
    this.#triedAt = this.#options.uptime();
    try {
      this.#generation += 1;
      this.#journal = await this.#options.directory.begin(this.#decided(), this.#generation);
    } catch (error) {
      this.#report(error);
      return false;
    }
    this.#wasSound = true;
    this.#sound();
    return true;
  }

  /** On a full disk there may be no room for a new journal, but in the old one. */
  async #goOn(openEnd: NonNullable<LoadedLedger['openEnd']>): Promise<void> {
    try {
      this.#journal = await this.#options.directory.goOn(openEnd);
      this.#sound();
    } catch (error) {
      this.#report(error);
    }
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

function settle(batch: readonly Waiting[], outcome: Advance): void {
  for (const { resolve } of batch) {
    resolve(outcome);
  }
}
