/** Runs the work on each thing in sequence. Work on different things does not wait. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Runs some work after the earlier work on the same thing has ended, in success or failure.
   *
   * @param thing - the thing that the work is on
   * @param work - the work
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
