/**
 * How the attempt to use something up ended. `advanced`: it is used up now, durably, by this call alone. `spent`: it was used
 * before. `unavailable`: that it is used up could not be made durable, so it must not count.
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
 * itself, after `validFor` seconds; a counter does not.
 */
export type MarkKind =
  { readonly kind: 'time-step'; readonly validFor: number } | { readonly kind: 'counter' };

/** Replay protection: how far each factor has been used up. */
export interface Ledger {
  /**
   * Looks a mark up, without waiting for the disk.
   *
   * @param key - made by {@link markKey}
   * @returns the mark, or undefined when nothing was used yet
   */
  mark(key: string): Mark | undefined;

  /**
   * Uses something up: compare and set, then durable. Two calls with one mark have one winner.
   *
   * @param key - made by {@link markKey}
   * @param value - the new mark, a safe integer from 0 on
   * @param kind - what the mark is about
   * @returns how it ended; it never rejects
   */
  advance(key: string, value: number, kind: MarkKind): Promise<Advance>;
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
   */
  note(key: string, value: number): void;
}
