/** How often it is looked whose time is up, in milliseconds: nobody is given up earlier than they should, or later than by this. */
export const DEADLINE_GRAIN_MS = 250;

interface Deadline {
  readonly at: number;
  readonly pass: () => void;
}

/**
 * Deadlines of many who nearly always are in time: one timer looks after all, and it runs only while there are any.
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
   * Gives somebody a deadline, in place of the one before.
   *
   * @param who - has it
   * @param milliseconds - from now
   * @param pass - is called when it has passed
   */
  set(who: K, milliseconds: number, pass: () => void): void {
    this.#deadlines.set(who, { at: this.#now() + milliseconds, pass });
    this.#timer ??= setInterval(() => this.#look(), DEADLINE_GRAIN_MS);
  }

  /** Takes a deadline away. */
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
