/**
 * A map that never has more than so many entries: a new one pushes out the one that was not used for longest.
 *
 * @typeParam V - what it keeps
 */
export class BoundedMap<V> {
  readonly #entries = new Map<string, V>();
  readonly #max: number;

  /** @param max - entries at most */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Finds or makes an entry.
   *
   * @param key - its key
   * @param make - makes a new one
   * @returns the entry, which now counts as used last
   */
  obtain(key: string, make: () => V): V {
    const value = this.#entries.get(key) ?? make();
    this.#entries.delete(key);
    this.#entries.set(key, value);
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.#max) {
        break;
      }
      this.#entries.delete(oldest);
    }
    return value;
  }

  /** @returns an entry, if there is one, which does not count as used by this */
  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** @returns all entries */
  values(): Iterable<V> {
    return this.#entries.values();
  }

  /** Forgets an entry. */
  delete(key: string): void {
    this.#entries.delete(key);
  }
}
