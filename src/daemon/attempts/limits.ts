/** The limits of guesses. All times are in milliseconds. */
export interface AttemptLimits {
  /** Attempts in {@link period} that one origin has for one user. */
  readonly perOrigin: number;
  /** Attempts in {@link period} that all unknown origins together have for one user. */
  readonly perUser: number;
  readonly period: number;
  /** Failures in a row from one origin, after which guessable factors are locked for it. */
  readonly lockAfter: number;
  /** Failures in a row from all unknown origins, after which guessable factors are locked for all of them. */
  readonly ceiling: number;
  /** How long the first lock lasts; every further failure doubles it. */
  readonly firstLock: number;
  readonly longestLock: number;
}

/** The default limits. */
export const DEFAULT_LIMITS: AttemptLimits = {
  perOrigin: 3,
  perUser: 10,
  period: 30_000,
  lockAfter: 20,
  ceiling: 100,
  firstLock: 60_000,
  longestLock: 900_000,
};

/** Days for which an origin counts as one that the user comes from. */
export const KNOWN_DAYS = 30;
