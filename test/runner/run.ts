import type { Counts } from './events.ts';
import { Estimate, type Durations } from './estimate.ts';
import { NotRun } from './not-run.ts';
import { partsOf, type Plan, type Suite } from './plan.ts';
import type { Size } from './sizes.ts';
import { runSuite } from './suite-run.ts';
import { clock, shortly } from './texts.ts';
import { Watch } from './watch.ts';

/** Runs suites one after the other, and prints the events as plain lines. */
export class Run {
  readonly #plan: Plan;
  readonly #size: Size;
  readonly #print: (line: string) => void;
  readonly #estimate: Estimate;
  readonly #notRun = new NotRun();
  readonly #sum: Counts = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: string[] = [];
  readonly #start = Date.now();

  /**
   * @param plan - what to run
   * @param size - what it is called
   * @param durations - what was measured before
   * @param print - takes each line
   */
  constructor(plan: Plan, size: Size, durations: Durations, print: (line: string) => void) {
    this.#plan = plan;
    this.#size = size;
    this.#print = print;
    this.#estimate = new Estimate(partsOf(plan), durations, size);
    for (const [what, why] of plan.notRun) {
      this.#notRun.add(what, why);
    }
  }

  /**
   * Runs them all, the next one also after a failure. The last line counts.
   *
   * @returns whether all is well
   */
  async all(): Promise<boolean> {
    this.#print(
      `Size ${this.#size}; ${this.#plan.leftOut}. Rounds: ${this.#plan.rounds}. It should take about ${shortly(this.#estimate.left())}.`,
    );
    for (const suite of this.#plan.suites) {
      await this.#run(suite);
    }
    for (const line of this.#notRun.lines()) {
      this.#print(line);
    }
    for (const failure of this.#failures) {
      this.#print(`FAILED ${failure}`);
    }
    this.#print(`It took ${clock(Date.now() - this.#start)}.`);
    this.#print(`${this.#sum.passed} passed, ${this.#sum.failed} failed, ${this.#sum.skipped} skipped`);
    return this.#sum.failed === 0 && this.#sum.passed > 0;
  }

  async #run(suite: Suite): Promise<void> {
    const watch = new Watch(suite, {
      say: (text) => this.#print(`[${clock(Date.now() - this.#start)}] ${text}`),
      add: (text) => this.#print(text),
      left: (ms, part) => `about ${shortly(this.#estimate.left(ms / 1000, part))} yet`,
      ended: (part, ms) => this.#estimate.ended(part, ms / 1000),
      notRun: this.#notRun,
      failures: this.#failures,
      showAll: this.#size === 'full',
    });
    const status = await runSuite(suite, this.#plan.environment, watch);
    watch.close(status);
    for (const state of ['passed', 'failed', 'skipped'] as const) {
      this.#sum[state] += watch.counts[state];
    }
  }
}
