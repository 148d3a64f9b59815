/** Wrong answers leave on a grid of time, so that how long a check took tells nothing about the user. Milliseconds. */
export const GRID_MS = 5;

/**
 * A grid of time that begins when it is made: before the work whose length it hides. Timers count whole milliseconds from when they
 * are set, so one that was set after the work would carry the work's fraction of a millisecond over to the answer.
 */
export class TimeGrid {
  readonly #monotonic: () => number;
  readonly #begun: number;
  readonly #first: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param monotonic - a clock in milliseconds that never jumps */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#begun = monotonic();
    this.#first = new Promise((resolve) => {
      this.#timer = setTimeout(resolve, GRID_MS);
    });
  }

  /** Waits for the next line of the grid. */
  async next(): Promise<void> {
    const taken = this.#monotonic() - this.#begun;
    if (taken < GRID_MS) {
      await this.#first;
      return;
    }
    this.end();
    const wait = Math.ceil(taken / GRID_MS) * GRID_MS - taken;
    await new Promise((resolve) => setTimeout(resolve, Math.ceil(wait)));
  }

  /** Nobody waits for it. */
  end(): void {
    clearTimeout(this.#timer);
  }
}
