/* The port of the ledger: interfaces only. */

/**
 * The result of using a code up. `advanced`: this call alone used it up, durably. `spent`: it was used before. `unavailable`: its
 * use could not be made durable, or there is no room for the mark, so the code must not count.
 */
export type Advance = 'advanced' | 'spent' | 'unavailable';

/** How far a factor is used up, and when it last advanced. */
export interface Mark {
  /** TOTP time step, HOTP counter, YubiKey (session counter, use), 1 for a used recovery code. It only grows. */
  readonly value: number;
  /** Seconds since 1970. */
  readonly at: number;
}

/**
 * The purpose of a mark decides what happens when the state directory cannot be written. A time step expires by itself, after
 * `validFor` seconds; a counter does not. A place says where a file was, and is treated like a counter.
 */
export type MarkKind =
  { readonly kind: 'time-step'; readonly validFor: number } | { readonly kind: 'counter' | 'place' };

/**
 * A claimed mark. Nobody else can claim it, and nobody may be let in for it before it is committed. The next commit includes it,
 * whoever calls that.
 */
export interface Claim {
  readonly key: string;
  readonly value: number;
}

/** Makes claims durable. */
export interface Claims {
  /**
   * Makes claims durable, all at once.
   *
   * @param claims - from {@link Ledger.claim}
   * @returns the result of each, in their order: `advanced` or `unavailable`. If the disk is slow, a promise, which never
   * rejects.
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
   * Starts to use a code up: a compare-and-set in memory. Of two calls with the same mark, one wins.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark, a safe integer from 0 on
   * @param kind - the purpose of the mark
   * @returns the claim, which does not count before {@link Claims.commit}; or why it is refused
   */
  claim(key: string, value: number, kind: MarkKind): Claim | 'spent' | 'unavailable';

  /**
   * Uses a code up: claims it and commits the claim.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark, a safe integer from 0 on
   * @param kind - the purpose of the mark
   * @returns how it ended; it never rejects
   */
  advance(key: string, value: number, kind: MarkKind): Promise<Advance>;
}

/** Whose marks they are. */
export interface MarkOwner {
  /**
   * The uid whose budget of marks they count against; undefined if there is no account, which only programs of root can cause.
   */
  readonly uid: number | undefined;
  /**
   * `always`: for factors whose removal {@link WholeLedger.release} reports. `while-room`: for factors that users change without
   * telling the daemon. If a user has too many, the oldest are forgotten.
   */
  readonly keep: 'always' | 'while-room';
}

/** The marks of everybody. */
export interface WholeLedger extends Pick<Ledger, 'mark'>, Claims {
  /**
   * The ledger for new marks of one owner. It also finds marks of other owners, because keys do not depend on the owner.
   *
   * @param owner - whose
   * @returns the ledger
   */
  of(owner: MarkOwner): Ledger;

  /**
   * Keeps marks permanently that may have been released before, because their factors are enrolled again. Keys without a mark get
   * none.
   *
   * @param uid - whose they are now
   * @param keys - of the factors
   * @returns whether that is durable; it never rejects
   */
  hold(uid: number, keys: readonly string[]): Promise<boolean>;

  /**
   * Reports that a factor is no longer enrolled. This is written with the next commit. If a crash loses it, the mark is kept
   * permanently.
   *
   * @param key - of the factor
   * @param until - when its codes expire for certain, in seconds since 1970; undefined if they never do
   */
  release(key: string, until?: number): void;
}

/** A note that expires by itself. */
export interface Note {
  readonly kind: 'origin' | 'grace';
  /** Uid of its user; undefined if there is no account. */
  readonly uid: number | undefined;
  /** For how many seconds from now it counts. */
  readonly lasts: number;
}

/** Marks that nobody's login depends on. */
export interface Notebook {
  /** @returns the mark of a key, if there is one */
  mark(key: string): Mark | undefined;

  /**
   * Raises a mark. It is written with the next commit, and a crash may lose it.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark; a smaller one than before changes nothing
   * @param note - its purpose
   */
  note(key: string, value: number, note: Note): void;
}
