import type { FarAhead } from './decide.ts';

/** The time limit for the second code, in milliseconds. */
const VALID_MS = 5 * 60_000;
/** The most tokens that are remembered at one moment. */
const MAX_TOKENS = 1_024;

/**
 * Remembers the codes of tokens that have run ahead, until the next code confirms them (RFC 4226, section 7.4). In memory only:
 * after a restart the person types two codes again.
 */
export class Resynchronisation {
  readonly #first = new Map<string, { readonly counter: number; readonly at: number }>();
  readonly #now: () => number;

  /** @param now - a clock in milliseconds that never jumps */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Remembers a first code.
   *
   * @param farAhead - the token and the counter
   */
  remember({ key, counter }: FarAhead): void {
    this.#first.delete(key);
    this.#first.set(key, { counter, at: this.#now() });
    for (const [oldest] of this.#first) {
      if (this.#first.size <= MAX_TOKENS) {
        break;
      }
      this.#first.delete(oldest);
    }
  }

  /**
   * The counter of the first code.
   *
   * @param key - of the token
   * @returns the counter, or undefined when there was no first code in the last five minutes
   */
  counterOf(key: string): number | undefined {
    const first = this.#first.get(key);
    return first !== undefined && this.#now() - first.at <= VALID_MS ? first.counter : undefined;
  }
}
