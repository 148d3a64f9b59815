/** Look-ups of one user: a person does not touch more often, and a stranger cannot use up the API key. */
export const LOOK_UPS = 10;
export const LOOK_UPS_WITHIN_MS = 60_000;

/** How often the YubiKeys of each user may be looked up. Only users who have one come here, so it stays small. */
export class LookUpBudget {
  readonly #monotonic: () => number;
  readonly #begun = new Map<string, number[]>();

  /** @param monotonic - a clock in milliseconds that never jumps */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /**
   * Takes one look-up from a user's budget.
   *
   * @param user - canonical name
   * @returns false when there is none left for now; that costs nothing
   */
  take(user: string): boolean {
    const now = this.#monotonic();
    const recent = (this.#begun.get(user) ?? []).filter((at) => now - at < LOOK_UPS_WITHIN_MS);
    const allowed = recent.length < LOOK_UPS;
    if (allowed) {
      recent.push(now);
    }
    this.#begun.set(user, recent);
    return allowed;
  }
}
