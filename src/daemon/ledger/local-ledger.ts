import { MAX_BATCH_ENTRIES } from './batch.ts';
import type { Entry } from './entry.ts';
import { ALWAYS, KIND_OF, markTime, NO_UID, WHILE_ROOM } from './kinds.ts';
import type {
  Advance,
  Claim,
  Ledger,
  Mark,
  MarkKind,
  MarkOwner,
  Note,
  Notebook,
  WholeLedger,
} from './ledger.ts';
import type { LoadedLedger } from './ledger-directory.ts';
import { LedgerWriter } from './ledger-writer.ts';
import { MAX_MARKS } from './limits.ts';
import type { LedgerCondition, LocalLedgerOptions } from './local-ledger-options.ts';
import { LocalClaim } from './local-claim.ts';
import type { Marks, Undecided } from './marks.ts';

/** The pause between two reports that there is no room for a key, in seconds. */
const TELL_SECONDS = 600;

/** The most notes that wait for a commit. More notes stay in memory until the next snapshot. */
const MAX_NOTES = 1_024;

/**
 * The ledger of this machine: a map in memory, a journal that is synced before any answer leaves, and a snapshot. All commits
 * that wait at one moment share one sync.
 */
export class LocalLedger implements WholeLedger, Notebook {
  readonly #options: LocalLedgerOptions;
  readonly #marks: Marks;
  readonly #writer: LedgerWriter;
  /** Uptime after which no lost code can be replayed: a time step counts only a whole window later. */
  readonly #completeSince: number;
  #toldAt = -Infinity;
  /** Claims that are not committed yet, in their order. */
  #waiting: LocalClaim[] = [];
  /** Notes for the next commit. */
  #notes: Entry[] = [];
  #committing = false;

  private constructor(options: LocalLedgerOptions, loaded: LoadedLedger, completeSince: number) {
    this.#options = options;
    this.#marks = loaded.marks;
    const memory = {
      marks: loaded.marks,
      undecided: (): readonly Undecided[] => this.#waiting,
      seconds: () => this.#seconds(),
    };
    this.#writer = new LedgerWriter(options, memory, loaded.generation);
    this.#completeSince = completeSince;
  }

  /**
   * Reads the ledger from the disk. It continues a journal that ended well and has room; otherwise it starts a new generation.
   * Opening never fails: damage and write errors are reported, and limit what is accepted.
   *
   * @param options - what it needs
   * @returns the ledger
   */
  static async open(options: LocalLedgerOptions): Promise<LocalLedger> {
    const loaded = options.directory.load();
    const damages = loaded.empty ? ['its files are missing'] : loaded.damages;
    let unwritten = loaded.marks.hasPassed(markTime(options.now() / 1000));
    options.volatile.load((entry) => {
      if ((loaded.marks.get(entry.key)?.value ?? -1) < entry.value) {
        loaded.marks.put(entry);
        unwritten = true;
      }
    });
    // Codes that were used shortly before may be among the lost marks: a boot empties /run, and damage can come at any time.
    const ledger = new LocalLedger(options, loaded, damages.length > 0 ? options.uptime() : 0);
    if (ledger.full) {
      ledger.#tellNoRoom(undefined);
    }
    if (damages.length > 0) {
      ledger.#writer.damaged(damages);
    } else {
      await ledger.#writer.open(loaded.openEnd, unwritten);
    }
    return ledger;
  }

  /** @returns what the ledger can do at the moment */
  get condition(): LedgerCondition {
    return this.#writer.condition;
  }

  /** @returns whether only root and owners with few marks get new keys */
  get full(): boolean {
    return this.#marks.size >= MAX_MARKS;
  }

  mark(key: string): Mark | undefined {
    return this.#marks.get(key);
  }

  of({ uid = NO_UID, keep }: MarkOwner): Ledger {
    const until = keep === 'always' ? ALWAYS : WHILE_ROOM;
    return {
      mark: (key) => this.#marks.get(key),
      claim: (key, value, kind) => this.#claim(key, value, kind, { until, uid }),
      advance: async (key, value, kind) => {
        const claim = this.#claim(key, value, kind, { until, uid });
        return typeof claim === 'string' ? claim : ((await this.commit([claim]))[0] ?? 'unavailable');
      },
    };
  }

  commit(claims: readonly Claim[]): readonly Advance[] | Promise<readonly Advance[]> {
    const own = claims.filter((claim) => claim instanceof LocalClaim);
    if (!this.#committing && !this.#committedInLine()) {
      void this.#commitWaiting();
    }
    const outcomes = own.flatMap(({ outcome }) => outcome ?? []);
    return outcomes.length === own.length ? outcomes : Promise.all(own.map((claim) => claim.settled()));
  }

  async hold(uid: number, keys: readonly string[]): Promise<boolean> {
    const claims = keys.flatMap((key) => {
      const before = this.#marks.entry(key);
      if (before === undefined || (before.until === ALWAYS && before.uid === uid)) {
        return [];
      }
      const entry = { ...before, until: ALWAYS, uid };
      this.#marks.put(entry);
      return [this.#undecided({ entry, before }, undefined)];
    });
    return (await this.commit(claims)).every((outcome) => outcome === 'advanced');
  }

  release(key: string, until?: number): void {
    const entry = this.#marks.release(key, until === undefined ? WHILE_ROOM : markTime(until));
    if (entry !== undefined) {
      this.#noteDown(entry);
    }
  }

  note(key: string, value: number, { kind, uid = NO_UID, lasts }: Note): void {
    const at = this.#seconds();
    const entry = { key, value, at, kind: KIND_OF[kind], until: markTime(at + lasts), uid };
    const claim = this.#marks.claim(entry, at);
    if (claim.kind === 'claimed') {
      this.#noteDown(claim.entry);
    }
  }

  #noteDown(entry: Entry): void {
    if (this.#notes.length < MAX_NOTES) {
      this.#notes.push(entry);
    }
  }

  #seconds(): number {
    return markTime(this.#options.now() / 1000);
  }

  #claim(
    key: string,
    value: number,
    kind: MarkKind,
    owner: Pick<Entry, 'until' | 'uid'>,
  ): LocalClaim | 'spent' | 'unavailable' {
    const at = this.#seconds();
    const claim = this.#marks.claim({ key, value, at, kind: KIND_OF[kind.kind], ...owner }, at);
    switch (claim.kind) {
      case 'spent':
        return 'spent';
      case 'no-room':
        this.#tellNoRoom(owner.uid);
        return 'unavailable';
      case 'claimed':
        return this.#undecided(claim, kind.kind === 'time-step' ? kind.validFor : undefined);
    }
  }

  /** From now on it waits, so no snapshot treats it as decided. */
  #undecided(taken: Undecided, validFor: number | undefined): LocalClaim {
    const claim = new LocalClaim(taken, validFor);
    this.#waiting.push(claim);
    return claim;
  }

  #tellNoRoom(uid: number | undefined): void {
    if (this.#options.uptime() - this.#toldAt >= TELL_SECONDS) {
      this.#toldAt = this.#options.uptime();
      this.#options.reports.noRoom(uid === NO_UID ? undefined : uid, this.full);
    }
  }

  /**
   * Gives up the damaged parts: starts a new generation with everything that could be read, and keeps the damaged files beside
   * it.
   *
   * @returns whether something was damaged and is repaired now
   */
  async repair(): Promise<boolean> {
    await this.#holdCommits();
    try {
      if (this.condition !== 'damaged') {
        return false;
      }
      await this.#options.directory.create();
      await this.#options.directory.keepAside(String(this.#options.now()));
      return await this.#writer.begin();
    } catch {
      return false;
    } finally {
      await this.#commitWaiting();
    }
  }

  /** If the ledger could not be written: tries again, as the next login would. */
  async tryAgain(): Promise<void> {
    await this.#holdCommits();
    try {
      if (this.condition === 'in-trouble') {
        await this.#writer.begin();
      }
    } finally {
      await this.#commitWaiting();
    }
  }

  /** Waits for the running commit, and closes the journal. After that, nothing can be used up. */
  async close(): Promise<void> {
    await this.#holdCommits();
    if (this.#notes.length > 0) {
      await this.#writer.write(this.#entries([]));
    }
    await this.#writer.close();
  }

  /**
   * Waits for the running commit. From then on, commits wait until {@link #commitWaiting}: of two generations that start at one
   * moment, each would lack the entries of the other.
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

  /** Logins that come meanwhile wait, too, so this is done only while the disk is quick. */
  #committedInLine(): boolean {
    if (this.#waiting.length === 0) {
      return true;
    }
    if (!this.#writer.isQuickFor(this.#waiting.length + this.#notes.length)) {
      return false;
    }
    const batch = this.#waiting.splice(0);
    if (!this.#writer.writeNow(this.#entries(batch))) {
      // They are not lost: the next generation contains all of memory.
      this.#waiting.unshift(...batch);
      return false;
    }
    settle(batch, 'advanced');
    return true;
  }

  /** Notes come first, because one of the commits may enrol a removed factor again. */
  #entries(batch: readonly LocalClaim[]): Entry[] {
    return [...this.#notes.splice(0), ...batch.map(({ entry }) => entry)];
  }

  async #commit(batch: readonly LocalClaim[]): Promise<void> {
    if (await this.#writer.write(this.#entries(batch))) {
      settle(batch, 'advanced');
      return;
    }
    const timeSteps = batch.filter(({ validFor }) => this.#outlivesReplay(validFor));
    const refused = batch.filter((waiting) => !timeSteps.includes(waiting));
    this.#takeBack(refused);
    if (timeSteps.length > 0 && !(await this.#options.volatile.append(timeSteps.map(({ entry }) => entry)))) {
      this.#takeBack(timeSteps);
      settle(batch, 'unavailable');
      return;
    }
    settle(timeSteps, 'advanced');
    settle(refused, 'unavailable');
  }

  /** A time step that is recorded only in /run may count once no lost code can be replayed. */
  #outlivesReplay(validFor: number | undefined): boolean {
    return (
      validFor !== undefined &&
      (this.#writer.wasSound || this.#options.uptime() - this.#completeSince >= validFor)
    );
  }

  /** Unrecorded claims are taken back, the last one first, so that their codes can be used again. Nobody was let in for them. */
  #takeBack(batch: readonly LocalClaim[]): void {
    for (const { entry, before } of batch.toReversed()) {
      this.#marks.takeBack({ entry, before });
      // A later claim that waits must not restore the refused mark.
      for (const later of this.#waiting) {
        if (later.entry.key === entry.key && later.before?.value === entry.value) {
          later.before = before;
        }
      }
    }
  }
}

function settle(batch: readonly LocalClaim[], outcome: Advance): void {
  batch.forEach((claim) => claim.settle(outcome));
}
