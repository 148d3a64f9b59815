import type { Entry } from './entry.ts';
import type { Advance, Claim } from './ledger.ts';
import type { Undecided } from './marks.ts';

/** A claim of a local ledger, until it is settled. */
export class LocalClaim implements Claim, Undecided {
  readonly entry: Entry;
  /** What the mark goes back to if this is refused; undefined: there was none. */
  before: Entry | undefined;
  /** Seconds for which what is used up could be replayed; undefined: for ever. */
  readonly validFor: number | undefined;
  #outcome: Advance | undefined;
  #settled: ((outcome: Advance) => void) | undefined;

  /**
   * @param taken - what was changed in memory
   * @param validFor - seconds for which what is used up could be replayed; undefined: for ever
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

  /** @returns how it ended; undefined: it has not */
  get outcome(): Advance | undefined {
    return this.#outcome;
  }

  /**
   * Says how it ended, once.
   *
   * @param outcome - durable, or not
   */
  settle(outcome: Advance): void {
    this.#outcome = outcome;
    this.#settled?.(outcome);
  }

  /** @returns how it ends */
  settled(): Promise<Advance> {
    return this.#outcome === undefined
      ? new Promise((resolve) => {
          this.#settled = resolve;
        })
      : Promise.resolve(this.#outcome);
  }
}
