/**
 * How the attempt to use something up ended. `advanced`: it is used up now, durably, by this call alone. `spent`: it was used
 * before. `unavailable`: that it is used up could not be made durable, or there is no room for it, so it must not count.
 */
export type Advance = 'advanced' | 'spent' | 'unavailable';

/** How far something has been used up, and when that was last the case. */
export interface Mark {
  /** TOTP time step, HOTP counter, YubiKey (session counter, use), 1 for a used recovery code. It only grows. */
  readonly value: number;
  /** Seconds since 1970. */
  readonly at: number;
}

/**
 * What a mark is about decides what happens when the state directory cannot be written. A time step goes out of date by
 * itself, after `validFor` seconds; a counter does not. A place is a counter of another kind: where a file was.
 */
export type MarkKind =
  { readonly kind: 'time-step'; readonly validFor: number } | { readonly kind: 'counter' | 'place' };

/**
 * Something that is claimed: nobody else can claim it, and nobody may be let in for it before it is committed. It is committed with the
 * commit that comes next, whoever asks for that.
 */
export interface Claim {
  readonly key: string;
  readonly value: number;
}

/** Where claims become durable. */
export interface Claims {
  /**
   * Makes claims durable, all at once.
   *
   * @param claims - from {@link Ledger.claim}
   * @returns how each ended, in their order: `advanced` or `unavailable`. A promise where the disk is slow; it never rejects.
   */
  commit(claims: readonly Claim[]): readonly Advance[] | Promise<readonly Advance[]>;
}

/** Replay protection: how far each factor of one owner has been used up. */
export interface Ledger {
  /**
   * Looks a mark up, without waiting for the disk.
   *
   * @param key - made by {@link markKey}
   * @returns the mark, or undefined when nothing was used yet
   */
  mark(key: string): Mark | undefined;

  /**
   * Begins to use something up: compare and set, in memory. Two calls with one mark have one winner.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark, a safe integer from 0 on
   * @param kind - what the mark is about
   * @returns the claim, which does not count before {@link Claims.commit}; or why there is none
   */
  claim(key: string, value: number, kind: MarkKind): Claim | 'spent' | 'unavailable';

  /**
   * Uses something up: claims it and commits that.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark, a safe integer from 0 on
   * @param kind - what the mark is about
   * @returns how it ended; it never rejects
   */
  advance(key: string, value: number, kind: MarkKind): Promise<Advance>;
}

/** Whose marks they are. */
export interface MarkOwner {
  /** Whose budget of marks they count against; undefined: there is no account, and only programs of root lead here. */
  readonly uid: number | undefined;
  /**
   * `always`: for factors whose removal is told by {@link WholeLedger.release}. `while-room`: for what users change behind our backs;
   * when they have too many, the oldest are forgotten.
   */
  readonly keep: 'always' | 'while-room';
}

/** The marks of everybody. */
export interface WholeLedger extends Pick<Ledger, 'mark'>, Claims {
  /**
   * The ledger for marks of one owner. Marks of all owners are found by it: keys do not depend on it.
   *
   * @param owner - whose
   * @returns the ledger
   */
  of(owner: MarkOwner): Ledger;

  /**
   * Keeps marks for good that may have been released before: their factors are enrolled again. Keys without a mark stay without.
   *
   * @param uid - whose they are now
   * @param keys - of the factors
   * @returns whether that is durable; it never rejects
   */
  hold(uid: number, keys: readonly string[]): Promise<boolean>;

  /**
   * Tells that a factor is not enrolled any more. It is written along with the next commit; what a crash loses is kept for good.
   *
   * @param key - of the factor
   * @param until - from when on its codes cannot count any more, in seconds since 1970; undefined: they always could
   */
  release(key: string, until?: number): void;
}

/** A note that goes out of date by itself. */
export interface Note {
  readonly kind: 'origin' | 'grace';
  /** Of its user; undefined: there is no account. */
  readonly uid: number | undefined;
  /** For how many seconds from now it counts. */
  readonly lasts: number;
}

/** Marks that nobody's login depends on. */
export interface Notebook {
  /** @returns the mark of a key, if there is one */
  mark(key: string): Mark | undefined;

  /**
   * Raises a mark: it is written along with the next commit, and a crash may lose it.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark; a smaller one than before changes nothing
   * @param note - what it is about
   */
  note(key: string, value: number, note: Note): void;
}
