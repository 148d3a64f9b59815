import type { AttemptLimits } from './limits.ts';

/*
 * The count of one origin, or of one user over several, in a fixed number of bytes. Times are in tenths of a second, rounded up,
 * so rounding never lets anybody through sooner.
 *
 *   0  user           8   16  checksum  4   24  rank        1   28  locked until  4   36  source  4   60..  times  17 x 4
 *   8  source+origin  8   20  failures  2   25  times used  1   32  touched       4   40  how many attempts each time stands for, 17 x 1
 */

/** Bytes of one. It divides a page, so that one write is never torn by the end of the program. */
export const TALLY_BYTES = 128;

/** Offset of the failures in a row, two bytes. */
export const FAILURES_AT = 20;
/** Offsets of the rank, one byte, and of the time of the last attempt, four bytes. */
export const RANK_AT = 24;
const USED = 25;
const LOCKED = 28;
export const TOUCHED_AT = 32;
const COUNTS = 40;
const TIMES = 60;
const MAX_TIMES = 17;
const MOST_COUNTED = 255;
const MOST_FAILURES = 0xffff;

const TICK_MS = 100;
/** The longest period in milliseconds: an hour. */
const LONGEST_PERIOD = 3_600_000;

const MOST_TICKS = 0xffff_ffff;

/** Milliseconds in one tick. */
export const ticks = (milliseconds: number): number =>
  Math.min(Math.max(0, Math.ceil(milliseconds / TICK_MS)), MOST_TICKS);

/** Counts of one origin, or of one user over several origins. */
export class Tally {
  readonly #bytes: Buffer;
  readonly #save: (tally: Tally) => void;

  /**
   * @param bytes - the bytes of the count, {@link TALLY_BYTES} long; they are changed in place
   * @param save - is called after each change, before anybody hears of it
   */
  constructor(bytes: Buffer, save: (tally: Tally) => void) {
    this.#bytes = bytes;
    this.#save = save;
  }

  /** The record itself. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Its rank; 0 for an empty place. */
  get rank(): number {
    return this.#bytes.readUInt8(RANK_AT);
  }

  set rank(rank: number) {
    this.#bytes[RANK_AT] = rank;
  }

  /** When an attempt was last counted, in ticks. */
  get touched(): number {
    return this.#bytes.readUInt32LE(TOUCHED_AT);
  }

  /**
   * Whether one more attempt is allowed. Asking changes nothing, so a throttled try does not prolong the wait.
   *
   * @param now - milliseconds
   * @param attempts - allowed in a period, at most 100
   * @param period - milliseconds, at most an hour
   * @returns whether it is
   */
  allows(now: number, attempts: number, period: number): boolean {
    if (now < this.lockedUntil) {
      return false;
    }
    let recent = 0;
    for (let at = 0; at < this.#used; at++) {
      recent += now - this.#time(at) * TICK_MS < period ? this.#count(at) : 0;
    }
    return recent < attempts;
  }

  /** @returns the end of the lock; in the past if it is not locked */
  get lockedUntil(): number {
    return this.#bytes.readUInt32LE(LOCKED) * TICK_MS;
  }

  /** Counts an attempt. */
  attempted(now: number): void {
    this.#bytes.writeUInt32LE(ticks(now), TOUCHED_AT);
    while (this.#used > 0 && now - this.#time(0) * TICK_MS >= LONGEST_PERIOD) {
      this.#remove(0);
    }
    if (this.#used === MAX_TIMES) {
      this.#merge(ticks(now));
    }
    this.#set(this.#used, ticks(now), 1);
    this.#bytes[USED] = this.#used + 1;
    this.#save(this);
  }

  /**
   * Counts a failure.
   *
   * @param now - milliseconds
   * @param lockAfter - failures in a row before the lock
   * @param limits - how long a lock lasts
   */
  failed(now: number, lockAfter: number, { firstLock, longestLock }: AttemptLimits): void {
    const failures = Math.min(this.#bytes.readUInt16LE(FAILURES_AT) + 1, MOST_FAILURES);
    this.#bytes.writeUInt16LE(failures, FAILURES_AT);
    if (failures >= lockAfter) {
      const doublings = failures - lockAfter;
      this.#bytes.writeUInt32LE(ticks(now + Math.min(firstLock * 2 ** doublings, longestLock)), LOCKED);
    }
    this.#save(this);
  }

  /** Forgets failures; attempts still count. */
  succeeded(): void {
    if (this.#bytes.readUInt16LE(FAILURES_AT) > 0) {
      this.#bytes.writeUInt16LE(0, FAILURES_AT);
      this.#bytes.writeUInt32LE(0, LOCKED);
      this.#save(this);
    }
  }

  /**
   * Moves times in the future to now. They come from before a reboot, or from a damaged file. So they throttle nobody for longer
   * than an attempt of this moment.
   *
   * @param now - milliseconds
   * @param longestLock - milliseconds
   */
  clampTo(now: number, longestLock: number): void {
    const present = ticks(now);
    const latest = ticks(now + longestLock);
    const times = Array.from({ length: this.#used }, (_, at) => this.#time(at));
    if (this.#bytes.readUInt32LE(LOCKED) <= latest && Math.max(this.touched, ...times) <= present) {
      return;
    }
    const locked = Math.min(this.#bytes.readUInt32LE(LOCKED), latest);
    this.#bytes.writeUInt32LE(locked, LOCKED);
    this.#bytes.writeUInt32LE(Math.min(this.touched, present), TOUCHED_AT);
    this.#bytes[USED] = Math.min(this.#used, MAX_TIMES);
    for (let at = 0; at < this.#used; at++) {
      this.#set(at, Math.min(this.#time(at), present), this.#count(at));
    }
    this.#save(this);
  }

  get #used(): number {
    return this.#bytes.readUInt8(USED);
  }

  #time(at: number): number {
    return this.#bytes.readUInt32LE(TIMES + 4 * at);
  }

  #count(at: number): number {
    return this.#bytes.readUInt8(COUNTS + at);
  }

  #set(at: number, time: number, count: number): void {
    this.#bytes.writeUInt32LE(time, TIMES + 4 * at);
    this.#bytes[COUNTS + at] = Math.min(count, MOST_COUNTED);
  }

  #remove(at: number): void {
    for (let next = at + 1; next < this.#used; next++) {
      this.#set(next - 1, this.#time(next), this.#count(next));
    }
    this.#bytes[USED] = this.#used - 1;
  }

  /** Merges two times into the later one: the two that are closest, relative to their age. */
  #merge(now: number): void {
    let best = 0;
    let least = Infinity;
    for (let at = 0; at + 1 < this.#used; at++) {
      const error = (this.#time(at + 1) - this.#time(at)) / (now - this.#time(at + 1) + 1);
      if (error < least) {
        [best, least] = [at, error];
      }
    }
    this.#bytes[COUNTS + best + 1] = Math.min(this.#count(best) + this.#count(best + 1), MOST_COUNTED);
    this.#remove(best);
  }
}
