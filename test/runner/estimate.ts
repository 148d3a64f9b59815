import type { Size } from './sizes.ts';

/** How many seconds each suite, or each end-to-end file, took when it was measured: test/durations.json. */
export type Durations = Readonly<Partial<Record<Size, Readonly<Record<string, number>>>>>;

/** The assumed seconds of an unmeasured file, if no other file was measured. */
const UNKNOWN_SECONDS = 20;
/** After this number of seconds, the machine's own pace counts as much as the measured one. */
const CAUTION_SECONDS = 60;

/** Estimates how long a run still takes, from measured durations and from how much slower this machine is. */
export class Estimate {
  readonly #expected: Map<string, number>;
  #doneExpected = 0;
  #doneReally = 0;

  /**
   * @param parts - the parts in their order: names of suites and files
   * @param durations - the measured durations @param size - of this run; durations of another size are better than none
   */
  constructor(parts: readonly string[], durations: Durations, size: Size) {
    const known: Readonly<Record<string, number>> = {
      ...durations.full,
      ...durations.default,
      ...durations.all,
      ...durations[size],
    };
    const usual = median(Object.values(known)) ?? UNKNOWN_SECONDS;
    this.#expected = new Map(parts.map((part) => [part, known[part] ?? usual]));
  }

  /**
   * A part has ended.
   *
   * @param part - its name
   * @param seconds - how long it took
   */
  ended(part: string, seconds: number): void {
    this.#doneExpected += this.#expected.get(part) ?? 0;
    this.#doneReally += seconds;
    this.#expected.delete(part);
  }

  /**
   * How long it still takes.
   *
   * @param running - seconds since the current part began
   * @param part - its name
   * @returns seconds
   */
  left(running = 0, part = ''): number {
    const pace = (this.#doneReally + CAUTION_SECONDS) / (this.#doneExpected + CAUTION_SECONDS);
    let seconds = 0;
    for (const [name, expected] of this.#expected) {
      seconds += name === part ? Math.max(expected * pace - running, 0) : expected * pace;
    }
    return seconds;
  }
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
