import { ENTRY_WORDS, kindAt, readEntry, valueAt, WORD, writeEntry, type Entry } from './entry.ts';
import { ALWAYS, NO_UID } from './kinds.ts';
import { SlotIndex } from './slot-index.ts';

/* The memory of all marks. */

/** An entry, and the slot of the same owner's next one. */
const SLOT_WORDS = ENTRY_WORDS + 1;
const NEXT = ENTRY_WORDS;
const CHUNK_SHIFT = 13;
const CHUNK_SLOTS = 1 << CHUNK_SHIFT;
const NONE = 0xffff_ffff;
/** Knuth's multiplicative hash: The Art of Computer Programming, volume 3, section 6.4. */
const GOLDEN = 0x9e37_79b1;

/**
 * Entries in memory outside of V8's heap: in chunks that never move, 40 bytes each, and two indexes, by key and by owner. In all a mark
 * takes at most 68 bytes, and growing never needs a second copy.
 */
export class MarkTable {
  readonly #chunks: Uint32Array[] = [];
  readonly #byKey = new SlotIndex((slot) => this.#word(slot, WORD.key));
  /** The first slot of each owner; each slot names the next one. */
  readonly #byOwner = new SlotIndex((slot) => hashOfUid(this.#word(slot, WORD.uid)));
  readonly #sought = new Uint32Array(ENTRY_WORDS);
  readonly #isSought = (slot: number): boolean => this.#hasKey(slot, this.#sought);
  #soughtUid = NO_UID;
  readonly #isOfSoughtUid = (slot: number): boolean => this.#word(slot, WORD.uid) === this.#soughtUid;
  #end = 0;
  #free = NONE;
  #size = 0;

  /** @returns how many entries there are */
  get size(): number {
    return this.#size;
  }

  /** @returns slots are below this number, with free ones between them */
  get end(): number {
    return this.#end;
  }

  /** @returns the slot of a key, -1 if there is none */
  find(key: string): number {
    for (let word = 0; word < WORD.kind; word++) {
      this.#sought[word] = parseInt(key.slice(word * 8, word * 8 + 8), 16);
    }
    return this.#byKey.find(this.#sought[0] ?? 0, this.#isSought);
  }

  /** @returns the slot of the key that stands in `words` from `offset` on, -1 if there is none */
  findWords(words: Uint32Array, offset: number): number {
    copyWords(words, offset, this.#sought, 0, WORD.kind);
    return this.#byKey.find(this.#sought[0] ?? 0, this.#isSought);
  }

  /** @returns whether there is an entry in a slot */
  has(slot: number): boolean {
    return kindAt(this.#chunkOf(slot), offsetOf(slot)) !== 0;
  }

  /** @returns the entry in a slot */
  read(slot: number): Entry {
    return readEntry(this.#chunkOf(slot), offsetOf(slot));
  }

  /** @returns the value in a slot */
  value(slot: number): number {
    return valueAt(this.#chunkOf(slot), offsetOf(slot));
  }

  /** @returns until when the entry in a slot is kept */
  until(slot: number): number {
    return this.#word(slot, WORD.until);
  }

  /** @returns when the entry in a slot was last advanced */
  at(slot: number): number {
    return this.#word(slot, WORD.at);
  }

  /** Copies the entry in a slot. */
  copy(slot: number, into: Uint32Array, offset: number): void {
    copyWords(this.#chunkOf(slot), offsetOf(slot), into, offset, ENTRY_WORDS);
  }

  /** Adds an entry whose key is not there. */
  add(words: Uint32Array, offset: number): void {
    const slot = this.#newSlot();
    this.#set(slot, words, offset);
    this.#byKey.add(slot);
    this.#join(slot);
    this.#size += 1;
  }

  /** Puts another entry with the same key into a slot. */
  replace(slot: number, words: Uint32Array, offset: number): void {
    if (this.#word(slot, WORD.uid) === words[offset + WORD.uid]) {
      this.#set(slot, words, offset);
      return;
    }
    this.#leave(slot);
    this.#set(slot, words, offset);
    this.#join(slot);
  }

  /** Takes an entry out. */
  remove(slot: number): void {
    this.#leave(slot);
    this.#byKey.remove(slot);
    const chunk = this.#chunkOf(slot);
    const offset = offsetOf(slot);
    chunk.fill(0, offset, offset + SLOT_WORDS);
    chunk[offset + NEXT] = this.#free;
    this.#free = slot;
    this.#size -= 1;
  }

  /** @returns the slots of an owner */
  ofOwner(uid: number): number[] {
    const slots: number[] = [];
    for (let slot = this.#firstOf(uid); slot !== NONE; slot = this.#word(slot, NEXT)) {
      slots.push(slot);
    }
    return slots;
  }

  #firstOf(uid: number): number {
    if (uid === NO_UID) {
      return NONE;
    }
    this.#soughtUid = uid;
    const slot = this.#byOwner.find(hashOfUid(uid), this.#isOfSoughtUid);
    return slot < 0 ? NONE : slot;
  }

  #join(slot: number): void {
    const uid = this.#word(slot, WORD.uid);
    const first = this.#firstOf(uid);
    if (first !== NONE) {
      this.#link(slot, this.#word(first, NEXT));
      this.#link(first, slot);
      return;
    }
    this.#link(slot, NONE);
    if (uid !== NO_UID) {
      this.#byOwner.add(slot);
    }
  }

  #leave(slot: number): void {
    const uid = this.#word(slot, WORD.uid);
    const first = this.#firstOf(uid);
    const next = this.#word(slot, NEXT);
    if (first === slot) {
      this.#byOwner.remove(slot);
      if (next !== NONE) {
        this.#byOwner.add(next);
      }
      return;
    }
    for (let before = first; before !== NONE; before = this.#word(before, NEXT)) {
      if (this.#word(before, NEXT) === slot) {
        this.#link(before, next);
        return;
      }
    }
  }

  #link(slot: number, next: number): void {
    this.#chunkOf(slot)[offsetOf(slot) + NEXT] = next;
  }

  #set(slot: number, words: Uint32Array, offset: number): void {
    copyWords(words, offset, this.#chunkOf(slot), offsetOf(slot), ENTRY_WORDS);
  }

  #newSlot(): number {
    const free = this.#free;
    if (free !== NONE) {
      this.#free = this.#word(free, NEXT);
      return free;
    }
    if (this.#end % CHUNK_SLOTS === 0) {
      this.#chunks.push(new Uint32Array(CHUNK_SLOTS * SLOT_WORDS));
    }
    this.#end += 1;
    return this.#end - 1;
  }

  #hasKey(slot: number, key: Uint32Array): boolean {
    const chunk = this.#chunkOf(slot);
    const at = offsetOf(slot);
    for (let word = 0; word < WORD.kind; word++) {
      if (chunk[at + word] !== key[word]) {
        return false;
      }
    }
    return true;
  }

  #word(slot: number, word: number): number {
    return this.#chunkOf(slot)[offsetOf(slot) + word] ?? 0;
  }

  #chunkOf(slot: number): Uint32Array {
    const chunk = this.#chunks[slot >>> CHUNK_SHIFT];
    if (chunk === undefined) {
      throw new RangeError('There is no such slot');
    }
    return chunk;
  }
}

/**
 * An entry as words.
 *
 * @param entry - the entry
 * @returns {@link ENTRY_WORDS} words
 */
export function wordsOf(entry: Entry): Uint32Array {
  const words = new Uint32Array(ENTRY_WORDS);
  writeEntry(words, 0, entry);
  return words;
}

/** @returns whether an entry may be forgotten one day */
export function isPassing(until: number): boolean {
  return until !== ALWAYS;
}

/** Copies without views, because views cost more than the copy. */
function copyWords(from: Uint32Array, at: number, into: Uint32Array, to: number, count: number): void {
  for (let word = 0; word < count; word++) {
    into[to + word] = from[at + word] ?? 0;
  }
}

function offsetOf(slot: number): number {
  return (slot & (CHUNK_SLOTS - 1)) * SLOT_WORDS;
}

function hashOfUid(uid: number): number {
  return Math.imul(uid, GOLDEN) >>> 0;
}
