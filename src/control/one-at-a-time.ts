/** Lets what concerns one user happen one after the other. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>();

  /**
   * Runs something when all that came before it for this user has ended.
   *
   * @param user - whom it concerns
   * @param work - what to do
   * @returns what it returns
   * @throws what it throws
   */
  async run<T>(user: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(user);
    const mine = (before ?? Promise.resolve()).then(work, work);
    this.#last.set(user, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(user) === mine) {
        this.#last.delete(user);
      }
    }
  }
}
