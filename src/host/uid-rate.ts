/** The most uids that are counted. A new one replaces the one that was counted first. */
const MAX_UIDS = 1_024;

interface Bucket {
  left: number;
  at: number;
}

/** Limits how often each uid may connect: a number at once, and a number per second after that. */
export class UidRate {
  readonly #now: () => number;
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<number, Bucket>();

  /**
   * @param now - a clock in milliseconds that never jumps
   * @param burst - how often at once
   * @param perSecond - how often from then on
   */
  constructor(now: () => number, burst: number, perSecond: number) {
    this.#now = now;
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /**
   * Counts a visit if it is within the rate. Other visits are not counted, so they do not prolong the wait.
   *
   * @param uid - as the kernel says it
   * @returns whether it is
   */
  spend(uid: number): boolean {
    const now = this.#now();
    const bucket = this.#buckets.get(uid) ?? this.#begin(uid, now);
    bucket.left = Math.min(this.#burst, bucket.left + ((now - bucket.at) / 1_000) * this.#perSecond);
    bucket.at = now;
    if (bucket.left < 1) {
      return false;
    }
    bucket.left -= 1;
    return true;
  }

  #begin(uid: number, at: number): Bucket {
    for (const [first] of this.#buckets) {
      if (this.#buckets.size < MAX_UIDS) {
        break;
      }
      this.#buckets.delete(first);
    }
    const bucket = { left: this.#burst, at };
    this.#buckets.set(uid, bucket);
    return bucket;
  }
}
