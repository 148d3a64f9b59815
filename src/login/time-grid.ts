/** Wrong answers leave on a grid of time, so that how long a check took tells nothing about the user: longer than checking against the
 * store takes. Milliseconds. */
export const GRID_MS = 5;

/**
 * A grid of time that begins when it is made: before the work whose length it hides. Timers count whole milliseconds from when they
 * are set, so one that was set after the work would carry the work's fraction of a millisecond over to the answer.
 */
export class TimeGrid {
  readonly #monotonic: () => number;
  readonly #begun: number;
  readonly #step: number;
  readonly #first: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param monotonic - a clock in milliseconds that never jumps
   * @param step - between two lines of the grid, milliseconds
   */
  constructor(monotonic: () => number, step = GRID_MS) {
    this.#monotonic = monotonic;
    this.#step = step;
    this.#begun = monotonic();
    this.#first = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, step);
    });
  }

  /** Waits for the next line of the grid. */
  async next(): Promise<void> {
    const taken = this.#monotonic() - this.#begun;
    if (taken < this.#step) {
      await this.#first;
      return;
    }
    this.end();
    const wait = Math.ceil(taken / this.#step) * this.#step - taken;
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(wait)));
  }

  /** Nobody waits for it. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
