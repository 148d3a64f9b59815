import type { Entry } from './entry.ts';
import type { Mark } from './ledger.ts';

/** All marks in memory. A mark only grows, so two copies merge by taking the larger one. */
export class Marks {
  readonly #marks = new Map<string, Mark>();

  /** @returns how many marks there are */
  get size(): number {
    return this.#marks.size;
  }

  /** @returns the mark of a key, if there is one */
  get(key: string): Mark | undefined {
    return this.#marks.get(key);
  }

  /**
   * Takes an entry over if it is larger.
   *
   * @param entry - from the disk, or new
   * @returns whether it was larger
   */
  merge({ key, value, at }: Entry): boolean {
    const known = this.#marks.get(key);
    if (known !== undefined && known.value >= value) {
      return false;
    }
    this.#marks.set(key, { value, at });
    return true;
  }

  /**
   * Takes back an entry that nobody was told of, unless a larger one came since.
   *
   * @param entry - what was merged
   * @param before - what was there before it
   */
  takeBack(entry: Entry, before: Mark | undefined): void {
    if (this.#marks.get(entry.key)?.value !== entry.value) {
      return;
    }
    if (before === undefined) {
      this.#marks.delete(entry.key);
    } else {
      this.#marks.set(entry.key, before);
    }
  }

  /**
   * A copy without what is not decided yet.
   *
   * @param undecided - what was merged and may be taken back, in its order
   * @returns the copy
   */
  without(undecided: readonly { readonly entry: Entry; readonly before: Mark | undefined }[]): Marks {
    const copy = new Marks();
    this.#marks.forEach((mark, key) => copy.#marks.set(key, mark));
    for (const { entry, before } of undecided.toReversed()) {
      copy.takeBack(entry, before);
    }
    return copy;
  }

  /** @returns all entries */
  entries(): Entry[] {
    return Array.from(this.#marks, ([key, mark]) => ({ key, ...mark }));
  }
}
