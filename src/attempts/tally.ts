import type { AttemptLimits } from './limits.ts';

/** The longest period, in milliseconds, and the most attempts, that are ever asked for: an hour, and 100. */
const LONGEST_PERIOD = 3_600_000;
const MOST_ATTEMPTS = 100;

/** Counts of one origin, or of one user over several origins. */
export class Tally {
  /** When the last attempts were, oldest first. */
  #recent: number[] = [];
  #failures = 0;
  #lockedUntil = -Infinity;

  /**
   * Whether one more attempt is allowed. Asking changes nothing, so a try that is held back does not prolong the wait.
   *
   * @param now - milliseconds
   * @param attempts - allowed in a period, at most 100
   * @param period - milliseconds, at most an hour
   * @returns whether it is
   */
  allows(now: number, attempts: number, period: number): boolean {
    return now >= this.#lockedUntil && this.#recent.filter((then) => now - then < period).length < attempts;
  }

  /** @returns until when failures in a row have locked it; in the past: it is not locked */
  get lockedUntil(): number {
    return this.#lockedUntil;
  }

  /** Counts an attempt. */
  attempted(now: number): void {
    this.#recent = [...this.#recent.filter((then) => now - then < LONGEST_PERIOD), now].slice(-MOST_ATTEMPTS);
  }

  /**
   * Counts a failure.
   *
   * @param now - milliseconds
   * @param lockAfter - failures in a row that are free
   * @param limits - how long a lock lasts
   */
  failed(now: number, lockAfter: number, { firstLock, longestLock }: AttemptLimits): void {
    this.#failures += 1;
    if (this.#failures >= lockAfter) {
      const doublings = this.#failures - lockAfter;
      this.#lockedUntil = now + Math.min(firstLock * 2 ** doublings, longestLock);
    }
  }

  /** Forgets failures; attempts still count. */
  succeeded(): void {
    this.#failures = 0;
    this.#lockedUntil = -Infinity;
  }
}
