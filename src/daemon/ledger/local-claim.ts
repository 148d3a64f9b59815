import type { Entry } from './entry.ts';
import type { Advance, Claim } from './ledger.ts';
import type { Undecided } from './marks.ts';

/* A claim on a mark, which is committed or taken back. */

/** A claim of a local ledger, until it is settled. */
export class LocalClaim implements Claim, Undecided {
  readonly entry: Entry;
  /** The mark to restore if the claim is refused; undefined if there was none. */
  before: Entry | undefined;
  /** Seconds for which the used code could be replayed; undefined: for ever. */
  readonly validFor: number | undefined;
  #outcome: Advance | undefined;
  #settled: ((outcome: Advance) => void) | undefined;

  /**
   * @param taken - the change in memory
   * @param validFor - seconds for which the used code could be replayed; undefined: for ever
   */
  constructor({ entry, before }: Undecided, validFor: number | undefined) {
    this.entry = entry;
    this.before = before;
    this.validFor = validFor;
  }

  get key(): string {
    return this.entry.key;
  }

  get value(): number {
    return this.entry.value;
  }

  /** @returns the result; undefined while it is open */
  get outcome(): Advance | undefined {
    return this.#outcome;
  }

  /**
   * Sets the result, once.
   *
   * @param outcome - durable, or not
   */
  settle(outcome: Advance): void {
    this.#outcome = outcome;
    this.#settled?.(outcome);
  }

  /** @returns the result, as a promise */
  settled(): Promise<Advance> {
    return this.#outcome === undefined
      ? new Promise((resolve) => {
          this.#settled = resolve;
        })
      : Promise.resolve(this.#outcome);
  }
}
