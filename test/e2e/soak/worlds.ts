/** The result of an answer for a factor in a certain state. */
export interface Worth<S> {
  /** Whether it lets its person in. */
  readonly opens: boolean;
  /** The state afterwards. Further ones: where a daemon may be killed on the way there. */
  readonly after: readonly [S, ...S[]];
}

/** The truth about a factor, computed from its secret, not asked from the daemon. */
export type Judge<S> = (state: S, typed: string, now: number) => Worth<S>;

/** The expected result of an answer; `either`: it depends on an interrupted earlier login, or on a jump of the clock. */
export type Expected = 'in' | 'refused' | 'either';

/**
 * The actual result, as far as it changes the state; `unknown`: the daemon was killed; `untouched`: the daemon said that it could
 * not check.
 */
export type Came = 'in' | 'refused' | 'unknown' | 'untouched';

/**
 * The possible states of a factor. A login whose daemon was killed may have used up its code, or not: from then on both are
 * possible, until a later answer tells. JSON tells states apart.
 */
export class Worlds<S> {
  readonly #judge: Judge<S>;
  #states: readonly S[];

  /**
   * @param judge - the truth
   * @param first - the state at first
   */
  constructor(judge: Judge<S>, first: S) {
    this.#judge = judge;
    this.#states = [first];
  }

  /** One of the states that are possible. */
  get state(): S {
    return this.#states[0]!;
  }

  /**
   * @param typed - the answer
   * @param readings - what the daemon's clock may show, in milliseconds since 1970
   * @returns what should come of it
   */
  expected(typed: string, readings: readonly number[]): Expected {
    const opens = new Set(this.#all(typed, readings).map(({ worth }) => worth.opens));
    return opens.size > 1 ? 'either' : opens.has(true) ? 'in' : 'refused';
  }

  /**
   * Keeps the states that fit what came.
   *
   * @param typed - the answer
   * @param readings - what the daemon's clock may have shown
   * @param came - what came of it
   */
  learn(typed: string, readings: readonly number[], came: Came): void {
    const all = this.#all(typed, readings);
    const fitting = all.filter(({ worth }) => worth.opens === (came === 'in'));
    switch (came) {
      case 'untouched':
        return;
      case 'unknown':
        this.#become([...this.#states, ...all.flatMap(({ worth }) => worth.after)]);
        return;
      case 'in':
      case 'refused':
        // If no state fits, that was counted as a fault, and the answer is treated as used up.
        this.#become((fitting.length > 0 ? fitting : all).map(({ worth }) => worth.after[0]));
    }
  }

  #all(typed: string, readings: readonly number[]): { worth: Worth<S> }[] {
    return this.#states.flatMap((state) =>
      readings.map((now) => ({ worth: this.#judge(state, typed, now) })),
    );
  }

  #become(states: readonly S[]): void {
    this.#states = [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
  }
}
