import type { AttemptLimits } from './limits.ts';

/** Counts of one origin, or of one user over several origins. */
export class Tally {
  /** When the attempts of the running period were, oldest first. */
  #recent: number[] = [];
  #failures = 0;
  #lockedUntil = -Infinity;

  /** @returns failures in a row */
  get failures(): number {
    return this.#failures;
  }

  /**
   * Whether one more attempt is allowed. Asking changes nothing, so a try that is held back does not prolong the wait.
   *
   * @param now - milliseconds
   * @param attempts - allowed in a period
   * @param period - milliseconds
   * @returns whether it is
   */
  allows(now: number, attempts: number, period: number): boolean {
    this.#recent = this.#recent.filter((then) => now - then < period);
    return now >= this.#lockedUntil && this.#recent.length < attempts;
  }

  /** @returns whether failures in a row have locked it */
  locked(now: number): boolean {
    return now < this.#lockedUntil;
  }

  /** Counts an attempt. */
  attempted(now: number): void {
    this.#recent.push(now);
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
      const doublings = Math.min(this.#failures - lockAfter, 32);
      this.#lockedUntil = now + Math.min(firstLock * 2 ** doublings, longestLock);
    }
  }

  /** Forgets failures; attempts of the running period still count. */
  succeeded(): void {
    this.#failures = 0;
    this.#lockedUntil = -Infinity;
  }
}
