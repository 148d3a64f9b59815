const SHARDS = 64;
const SHARD_SHIFT = 26;
const FIRST_PLACES = 16;
/** A shard that is fuller than this doubles. */
const FULLEST = 0.6;
/**
 * The lower bits of a place hold a slot's number plus one, the upper ones some of its hash, so that few wrong slots are looked
 * at.
 */
const SLOT_BITS = 22;
const SLOT_MASK = 2 ** SLOT_BITS - 1;
const TAG_SHIFT = 16;

/**
 * A hash table of slot numbers outside of V8's heap: 7 to 14 bytes for each. It consists of shards that grow separately, so
 * growing never takes long, and never needs twice the memory.
 *
 * Somebody who can choose the hashed values can make chains of slots, at most as long as the number of marks that one owner may
 * have.
 */
export class SlotIndex {
  readonly #hashOf: (slot: number) => number;
  /** A free place is 0. */
  readonly #shards = Array.from({ length: SHARDS }, () => new Uint32Array(FIRST_PLACES));
  readonly #used = new Uint32Array(SHARDS);

  /** @param hashOf - the hash of a slot that is in the index, a number of 32 bits */
  constructor(hashOf: (slot: number) => number) {
    this.#hashOf = hashOf;
  }

  /**
   * Finds a slot.
   *
   * @param hash - of the wanted entry
   * @param matches - whether a slot has that entry
   * @returns the slot, -1 if there is none
   */
  find(hash: number, matches: (slot: number) => boolean): number {
    const shard = this.#shardOf(hash);
    for (let at = hash & (shard.length - 1); ; at = (at + 1) & (shard.length - 1)) {
      const stored = shard[at] ?? 0;
      if (stored === 0) {
        return -1;
      }
      if (stored >>> SLOT_BITS === tagOf(hash) && matches(slotIn(stored))) {
        return slotIn(stored);
      }
    }
  }

  /** Adds a slot that is not in it. */
  add(slot: number): void {
    const hash = this.#hashOf(slot);
    const number = hash >>> SHARD_SHIFT;
    const used = (this.#used[number] ?? 0) + 1;
    this.#used[number] = used;
    if (used > FULLEST * this.#shardOf(hash).length) {
      this.#grow(number);
    }
    place(this.#shardOf(hash), hash, slot);
  }

  /** Takes a slot out; its hash must still be what it was. */
  remove(slot: number): void {
    const hash = this.#hashOf(slot);
    const shard = this.#shardOf(hash);
    const mask = shard.length - 1;
    let gap = hash & mask;
    while (slotIn(shard[gap] ?? 0) !== slot) {
      gap = (gap + 1) & mask;
    }
    // The entries that follow move up, unless that would put one before the place of its hash.
    for (let at = (gap + 1) & mask; shard[at] !== 0; at = (at + 1) & mask) {
      const wanted = this.#hashOf(slotIn(shard[at] ?? 0)) & mask;
      if (((at - wanted) & mask) >= ((at - gap) & mask)) {
        shard[gap] = shard[at] ?? 0;
        gap = at;
      }
    }
    shard[gap] = 0;
    this.#used[hash >>> SHARD_SHIFT] = (this.#used[hash >>> SHARD_SHIFT] ?? 0) - 1;
  }

  #grow(number: number): void {
    const old = this.#shards[number] ?? new Uint32Array(FIRST_PLACES);
    const larger = new Uint32Array(old.length * 2);
    for (const stored of old) {
      if (stored > 0) {
        place(larger, this.#hashOf(slotIn(stored)), slotIn(stored));
      }
    }
    this.#shards[number] = larger;
  }

  #shardOf(hash: number): Uint32Array {
    const shard = this.#shards[hash >>> SHARD_SHIFT];
    if (shard === undefined) {
      throw new RangeError('A hash has 32 bits');
    }
    return shard;
  }
}

function place(shard: Uint32Array, hash: number, slot: number): void {
  let at = hash & (shard.length - 1);
  while (shard[at] !== 0) {
    at = (at + 1) & (shard.length - 1);
  }
  shard[at] = ((tagOf(hash) << SLOT_BITS) | (slot + 1)) >>> 0;
}

function slotIn(stored: number): number {
  return (stored & SLOT_MASK) - 1;
}

function tagOf(hash: number): number {
  return (hash >>> TAG_SHIFT) & (2 ** (32 - SLOT_BITS) - 1);
}
