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
    const now = this.#now();
    const due = [...this.#deadlines].filter(([, { at }]) => at <= now);
    if (due.length > 0) {
      // After a pause of the whole process, timers come before frames that have been waiting: these are heard first.
      setImmediate(() => this.#pass(due));
    }
    this.#rest();
  }

  #pass(due: readonly (readonly [K, Deadline])[]): void {
    for (const [who, deadline] of due) {
      if (this.#deadlines.get(who) === deadline) {
        this.#deadlines.delete(who);
        deadline.pass();
      }
    }
    this.#rest();
  }

  /** Keeps no timer for nobody. */
  #rest(): void {
    if (this.#deadlines.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
