/** The most look-ups of one user per minute. Nobody touches more often, and a stranger cannot use up the API key's quota. */
export const LOOK_UPS = 10;
export const LOOK_UPS_WITHIN_MS = 60_000;

/** Limits how often the YubiKeys of each user are looked up. It stays small, because it has only users with a YubiKey. */
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
   * @returns false if none is left for now; such a call is not counted
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
