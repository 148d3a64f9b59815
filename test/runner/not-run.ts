/** Collects the reports of tests that cannot run here, so that each reason is printed once. */
export class NotRun {
  readonly #by = new Map<string, Set<string>>();

  /**
   * Takes from a text the lines `NOT RUN: WHAT: REASON`.
   *
   * @param text - what a test wrote
   * @returns the text without them
   */
  takeFrom(text: string): string {
    return text.replace(/^ *not run: (.+?): (.+)\n?/gim, (_line, what: string, reason: string) => {
      this.add(what, reason);
      return '';
    });
  }

  add(what: string, reason: string): void {
    this.#by.set(reason.trim(), (this.#by.get(reason.trim()) ?? new Set()).add(what));
  }

  /** One line a reason, in the order in which they came. */
  lines(): string[] {
    return [...this.#by].map(([reason, whats]) => `NOT RUN: ${[...whats].join('; ')}: ${reason}`);
  }
}
