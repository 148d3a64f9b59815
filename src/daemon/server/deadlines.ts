/** How often deadlines are checked, in milliseconds. Nobody is given up too early, or later than by this time. */
export const DEADLINE_GRAIN_MS = 250;

interface Deadline {
  readonly at: number;
  readonly pass: () => void;
}

/**
 * Deadlines of many connections that are nearly always in time. One timer checks all of them, and runs only while there are any.
 *
 * @typeParam K - who has a deadline, at most one each
 */
export class Deadlines<K> {
  readonly #now: () => number;
  readonly #deadlines = new Map<K, Deadline>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now - a clock in milliseconds that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Sets somebody's deadline, in place of an earlier one.
   *
   * @param who - has it
   * @param milliseconds - from now
   * @param pass - called when it has passed
   */
  set(who: K, milliseconds: number, pass: () => void): void {
    this.#deadlines.set(who, { at: this.#now() + milliseconds, pass });
    this.#timer ??= setInterval(() => this.#look(), DEADLINE_GRAIN_MS);
  }

  /** Removes a deadline. */
  clear(who: K): void {
    this.#deadlines.delete(who);
  }

  #look(): void {
    for (const [who, { at, pass }] of this.#deadlines) {
      if (at <= this.#now()) {
        this.#deadlines.delete(who);
        pass();
      }
    }
    if (this.#deadlines.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
