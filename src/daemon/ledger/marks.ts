import { ENTRY_WORDS, kindAt, valueAt, WORD, type Entry } from './entry.ts';
import { ALWAYS, KIND, WHILE_ROOM } from './kinds.ts';
import type { Mark } from './ledger.ts';
import { MOST_MARKS } from './limits.ts';
import { isPassing, MarkTable, wordsOf } from './mark-table.ts';
import { giveWay, hasRoom } from './room.ts';

/* All marks in memory, with the rules by which they grow and expire. */

/** A change in memory that is not durable yet, and the entry from before. */
export interface Undecided {
  readonly entry: Entry;
  /** Undefined if there was no mark. */
  readonly before: Entry | undefined;
}

/** The result of a claim: the entry as it is kept now, or why there is none. */
export type MarkClaim = (Undecided & { readonly kind: 'claimed' }) | { readonly kind: 'spent' | 'no-room' };

/** All marks in memory. A mark only grows, so two copies merge by taking the larger one. */
export class Marks {
  readonly #table = new MarkTable();

  /** @returns how many marks there are */
  get size(): number {
    return this.#table.size;
  }

  /** @returns the mark of a key, if there is one */
  get(key: string): Mark | undefined {
    const slot = this.#table.find(key);
    return slot < 0 ? undefined : { value: this.#table.value(slot), at: this.#table.at(slot) };
  }

  /** @returns the whole entry of a key, if it has a mark */
  entry(key: string): Entry | undefined {
    const slot = this.#table.find(key);
    return slot < 0 ? undefined : this.#table.read(slot);
  }

  /**
   * Raises a mark if the new one is larger, and if it exists or there is room for it.
   *
   * @param entry - the new mark
   * @param now - seconds since 1970
   * @returns the result
   */
  claim(entry: Entry, now: number): MarkClaim {
    const before = this.entry(entry.key);
    if (before !== undefined && before.value >= entry.value) {
      return { kind: 'spent' };
    }
    if (before === undefined && !hasRoom(this.#table, entry, now)) {
      return { kind: 'no-room' };
    }
    const claimed = before === undefined ? entry : raised(before, entry);
    this.put(claimed);
    return { kind: 'claimed', entry: claimed, before };
  }

  /** Sets the entry of a key, whatever it was before. */
  put(entry: Entry): void {
    const slot = this.#table.find(entry.key);
    if (slot < 0) {
      this.#table.add(wordsOf(entry), 0);
    } else {
      this.#table.replace(slot, wordsOf(entry), 0);
    }
  }

  /**
   * Allows a mark to be forgotten one day. If the owner has too many such marks, the oldest are forgotten at once.
   *
   * @param key - its key
   * @param until - when it may be forgotten
   * @returns the entry now; undefined if there is no such mark
   */
  release(key: string, until: number): Entry | undefined {
    const known = this.entry(key);
    if (known === undefined) {
      return undefined;
    }
    giveWay(this.#table, known.uid);
    const released = { ...known, until };
    this.put(released);
    return released;
  }

  /**
   * Adds an entry that was read from a disk, unless a larger one exists. Of two equal ones, the later one counts.
   *
   * @param words - entries as words
   * @param offset - where it begins
   * @returns false if there is no room for it in memory
   */
  load(words: Uint32Array, offset: number): boolean {
    if (kindAt(words, offset) === 0) {
      return true;
    }
    const slot = this.#table.findWords(words, offset);
    if (slot < 0 && this.#table.size >= MOST_MARKS) {
      return false;
    }
    if (slot < 0) {
      this.#table.add(words, offset);
    } else if (this.#table.value(slot) <= valueAt(words, offset)) {
      this.#table.replace(slot, words, offset);
    }
    return true;
  }

  /**
   * Takes an unacknowledged entry back, unless a larger one has come since.
   *
   * @param undecided - the claimed change
   */
  takeBack({ entry, before }: Undecided): void {
    const slot = this.#table.find(entry.key);
    if (slot < 0 || this.#table.value(slot) !== entry.value) {
      return;
    }
    if (before === undefined) {
      this.#table.remove(slot);
    } else {
      this.put(before);
    }
  }

  /**
   * Forgets expired marks. The caller first removes the files that still contain them, because these could bring an expired mark
   * back in place of a later one.
   *
   * @param now - seconds since 1970
   */
  prune(now: number): void {
    for (const slot of this.#passed(now)) {
      this.#table.remove(slot);
    }
  }

  /**
   * Whether {@link prune} would forget anything.
   *
   * @param now - seconds since 1970
   * @returns whether a mark has expired
   */
  hasPassed(now: number): boolean {
    return this.#passed(now).next().done !== true;
  }

  *#passed(now: number): Generator<number> {
    for (let slot = 0; slot < this.#table.end; slot++) {
      if (this.#table.has(slot) && this.#isPast(slot, now)) {
        yield slot;
      }
    }
  }

  #isPast(slot: number, now: number): boolean {
    const until = this.#table.until(slot);
    return isPassing(until) && until !== WHILE_ROOM && until <= now;
  }

  /**
   * All entries that have not expired, a part at a time, each as it is at that moment. Undecided entries are as they were before
   * the claim.
   *
   * @param undecided - returns the undecided changes, in their order
   * @param part - entries of one part, at most
   * @param now - seconds since 1970; if left out, nothing has expired
   * @returns entries as words; the next part reuses the same memory
   */
  *parts(undecided: () => readonly Undecided[], part: number, now = 0): Generator<Uint32Array> {
    const words = new Uint32Array(part * ENTRY_WORDS);
    for (let from = 0; from < this.#table.end; from += part) {
      let end = 0;
      const keysBefore = firstBefore(undecided());
      for (let slot = from; slot < Math.min(from + part, this.#table.end); slot++) {
        if (this.#table.has(slot) && !this.#isPast(slot, now)) {
          this.#table.copy(slot, words, end);
          end += this.#decided(words, end, keysBefore);
        }
      }
      yield words.subarray(0, end);
    }
  }

  /** Replaces undecided entries by the earlier ones. Returns the number of words to keep. */
  #decided(words: Uint32Array, offset: number, keysBefore: ReadonlyMap<string, Entry | undefined>): number {
    if (keysBefore.size === 0) {
      return ENTRY_WORDS;
    }
    const key = keyAt(words, offset);
    if (!keysBefore.has(key)) {
      return ENTRY_WORDS;
    }
    const before = keysBefore.get(key);
    if (before === undefined) {
      return 0;
    }
    words.set(wordsOf(before), offset);
    return ENTRY_WORDS;
  }
}

/** The new entry of a growing mark. A mark of an enrolled factor does not become forgettable because another source uses it. */
function raised(before: Entry, entry: Entry): Entry {
  return before.until === ALWAYS && before.kind !== KIND.unknown
    ? { ...entry, kind: before.kind, until: ALWAYS }
    : entry;
}

/** Of several claims of one key, the first has the entry from before all of them. */
function firstBefore(undecided: readonly Undecided[]): Map<string, Entry | undefined> {
  const befores = new Map<string, Entry | undefined>();
  for (const { entry, before } of undecided) {
    if (!befores.has(entry.key)) {
      befores.set(entry.key, before);
    }
  }
  return befores;
}

function keyAt(words: Uint32Array, offset: number): string {
  let key = '';
  for (let word = 0; word < WORD.kind; word++) {
    key += (words[offset + word] ?? 0).toString(16).padStart(8, '0');
  }
  return key;
}
