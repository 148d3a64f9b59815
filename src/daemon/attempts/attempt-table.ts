import { createHash } from 'node:crypto';
import { FAILURES_AT, RANK_AT, Tally, TALLY_BYTES, TOUCHED_AT } from './tally.ts';

/** How much a count matters. The count over all strangers matters most, because it limits all the others. */
export const RANK = { stranger: 1, known: 2, allStrangers: 3 } as const;
type Rank = (typeof RANK)[keyof typeof RANK];

const GROUPS = 256;
const SLOTS = 256;
/** Some places are only for names without an account. These names and existing users never push each other out. */
const SLOTS_OF_UNKNOWN = 32;
/** The most counts of one user. The next one replaces that user's oldest. */
const MAX_OF_USER: Readonly<Record<Rank, number>> = { 1: 64, 2: 16, 3: 16 };
/**
 * The shared limit of strangers does not hold for a known origin. So a known origin with failures keeps its count for a day:
 * otherwise somebody with many known origins could make one forget its failures by trying from the others.
 */
const FAILURES_KEPT_TICKS = 864_000;

const USER_AT = 0;
const WHERE_AT = 8;
const HASH_BYTES = 8;
const SOURCE_AT = 36;
const SOURCE_BYTES = 4;

/** All that is ever counted, in bytes. */
export const TABLE_BYTES = GROUPS * SLOTS * TALLY_BYTES;

/** Whose guesses are counted, at what, from where. */
export interface Counted {
  readonly user: string;
  readonly exists: boolean;
  /** What is guessed at, where one user has several. */
  readonly source: string;
  /** Undefined: over all strangers. */
  readonly origin: string | undefined;
}

/** The key of a count. {@link AttemptTable.keyOf} makes it. */
export interface CountKey {
  readonly exists: boolean;
  readonly user: Buffer;
  readonly where: Buffer;
  readonly source: Buffer;
}

/** The counts that a group has for one key, each as the offset of its bytes. */
interface Seen {
  readonly found: number | undefined;
  /** Other counts of the same user and rank. */
  readonly own: readonly number[];
  readonly free: number | undefined;
  /** The oldest count of the lowest rank, if that is not above the requested rank. */
  readonly least: number | undefined;
}

/**
 * Counts of users and origins in a fixed number of bytes. Every user belongs to one group of places, and names are kept as keyed hashes.
 * A full group gives up the oldest count of the lowest rank.
 */
export class AttemptTable {
  readonly #secret: Buffer;
  readonly #bytes: Buffer;
  readonly #save: (offset: number, bytes: Buffer) => void;

  /**
   * @param secret - the key for the hashes of names
   * @param bytes - {@link TABLE_BYTES} of them, zeros at first
   * @param save - is called after each change with the place and what is there now
   */
  constructor(secret: Buffer, bytes: Buffer, save: (offset: number, bytes: Buffer) => void) {
    this.#secret = secret;
    this.#bytes = bytes;
    this.#save = save;
  }

  /** @returns the key of somebody's count */
  keyOf({ user, exists, source, origin }: Counted): CountKey {
    const where = origin === undefined ? ['all', source] : ['from', source, origin];
    return {
      exists,
      user: this.#hash(exists ? 'user' : 'nobody', user),
      where: this.#hash(...where),
      source: this.#hash('source', source).subarray(0, SOURCE_BYTES),
    };
  }

  /**
   * Finds or makes a count.
   *
   * @param key - of whom, from where
   * @param rank - its rank from now on
   * @param now - on the clock that attempts are counted with, in ticks
   * @returns the count, or undefined if every count there matters more
   */
  obtain(key: CountKey, rank: Rank, now: number): Tally | undefined {
    const { found, own, free, least } = this.#look(key, rank);
    if (found !== undefined && this.#bytes.readUInt8(found + RANK_AT) === rank) {
      return this.#tallyAt(found);
    }
    const full = own.length >= MAX_OF_USER[rank];
    const given = full ? this.#oldest(own, rank === RANK.known ? now : undefined) : (free ?? least);
    if (found !== undefined && (!full || given !== undefined)) {
      // The count stays; only its rank changes.
      if (full && given !== undefined) {
        this.#clear(given);
      }
      return this.#ranked(found, rank);
    }
    if (given === undefined) {
      return undefined;
    }
    this.#bytes.fill(0, given, given + TALLY_BYTES);
    key.user.copy(this.#bytes, given + USER_AT);
    key.where.copy(this.#bytes, given + WHERE_AT);
    key.source.copy(this.#bytes, given + SOURCE_AT);
    return this.#ranked(given, rank);
  }

  /** @returns all counts of an existing user, for every source */
  of(user: string): Tally[] {
    return this.#placesOfUser(user).map((at) => this.#tallyAt(at));
  }

  /**
   * Forgets counts of a user.
   *
   * @param user - whose
   * @param source - only of guesses at this; left out: all
   */
  forget(user: string, source?: string): void {
    const only = source === undefined ? undefined : this.#hash('source', source).subarray(0, SOURCE_BYTES);
    for (const at of this.#placesOfUser(user)) {
      const there = this.#bytes.subarray(at + SOURCE_AT, at + SOURCE_AT + SOURCE_BYTES);
      if (only === undefined || there.equals(only)) {
        this.#clear(at);
      }
    }
  }

  #look({ user, where, exists }: CountKey, rank: Rank): Seen {
    const own: number[] = [];
    let found: number | undefined;
    let free: number | undefined;
    let least: number | undefined;
    const [first, end] = this.#groupOf(user, exists);
    for (let at = first; at < end; at += TALLY_BYTES) {
      const there = this.#bytes.readUInt8(at + RANK_AT);
      if (there === 0) {
        free ??= at;
        continue;
      }
      if (this.#has(at + USER_AT, user)) {
        if (this.#has(at + WHERE_AT, where)) {
          found = at;
        } else if (there === rank) {
          own.push(at);
        }
      }
      if (there <= rank && (least === undefined || this.#mattersLess(at, least))) {
        least = at;
      }
    }
    return { found, own, free, least };
  }

  #placesOfUser(user: string): number[] {
    const hash = this.#hash('user', user);
    const places: number[] = [];
    const [first, end] = this.#groupOf(hash, true);
    for (let at = first; at < end; at += TALLY_BYTES) {
      if (this.#bytes.readUInt8(at + RANK_AT) > 0 && this.#has(at + USER_AT, hash)) {
        places.push(at);
      }
    }
    return places;
  }

  /** From where to where: bytes. */
  #groupOf(user: Buffer, exists: boolean): readonly [number, number] {
    const first = (user.readUInt32LE(0) % GROUPS) * SLOTS;
    const unknown = first + SLOTS - SLOTS_OF_UNKNOWN;
    const [from, to] = exists ? [first, unknown] : [unknown, first + SLOTS];
    return [from * TALLY_BYTES, to * TALLY_BYTES];
  }

  #has(at: number, hash: Buffer): boolean {
    return (
      this.#bytes.readUInt32LE(at) === hash.readUInt32LE(0) &&
      this.#bytes.readUInt32LE(at + 4) === hash.readUInt32LE(4)
    );
  }

  /** The oldest of some places. With a time, only places without failures to keep are considered. */
  #oldest(places: readonly number[], now: number | undefined): number | undefined {
    let oldest: number | undefined;
    for (const at of places) {
      const kept =
        now !== undefined &&
        this.#bytes.readUInt16LE(at + FAILURES_AT) > 0 &&
        now - this.#bytes.readUInt32LE(at + TOUCHED_AT) <= FAILURES_KEPT_TICKS;
      if (!kept && (oldest === undefined || this.#mattersLess(at, oldest))) {
        oldest = at;
      }
    }
    return oldest;
  }

  #mattersLess(one: number, other: number): boolean {
    const [a, b] = [this.#bytes.readUInt8(one + RANK_AT), this.#bytes.readUInt8(other + RANK_AT)];
    return a === b
      ? this.#bytes.readUInt32LE(one + TOUCHED_AT) < this.#bytes.readUInt32LE(other + TOUCHED_AT)
      : a < b;
  }

  #ranked(at: number, rank: Rank): Tally {
    this.#bytes[at + RANK_AT] = rank;
    return this.#tallyAt(at);
  }

  #tallyAt(at: number): Tally {
    const bytes = this.#bytes.subarray(at, at + TALLY_BYTES);
    return new Tally(bytes, () => this.#save(at, bytes));
  }

  #clear(at: number): void {
    this.#bytes.fill(0, at, at + TALLY_BYTES);
    this.#save(at, this.#bytes.subarray(at, at + TALLY_BYTES));
  }

  #hash(...words: readonly string[]): Buffer {
    return createHash('sha256')
      .update(this.#secret)
      .update(words.join('\0'))
      .digest()
      .subarray(0, HASH_BYTES);
  }
}
