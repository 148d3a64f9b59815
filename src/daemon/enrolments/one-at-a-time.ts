/** Has work on one thing wait for the work on it before; different things do not wait for each other. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Does some work when what came before it is done, however that ended.
   *
   * @param thing - what it is on
   * @param work - what to do
   * @returns its result
   * @throws what the work rejects with
   */
  async run<T>(thing: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(thing) ?? Promise.resolve();
    const result = before.then(work, work);
    this.#last.set(thing, result);
    try {
      return await result;
    } finally {
      if (this.#last.get(thing) === result) {
        this.#last.delete(thing);
      }
    }
  }
}
