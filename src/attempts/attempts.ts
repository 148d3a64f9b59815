import { BoundedMap } from './bounded-map.ts';
import { MAX_ORIGINS, MAX_UNKNOWN_USERS, MAX_USERS, type AttemptLimits } from './limits.ts';
import { Tally } from './tally.ts';

/** Remembers from where users have logged in, also over a restart. */
export interface KnownOrigins {
  /** @returns whether the user logged in from there within the last days */
  knows(user: string, origin: string): boolean;
  /** Notes that the user logged in from there now. */
  note(user: string, origin: string): void;
}

/** Who tries, from where. */
export interface Subject {
  /** The name that counts are kept under. */
  readonly user: string;
  /** Whether there is such a user. */
  readonly exists: boolean;
  /** Made by {@link originOf}. */
  readonly origin: string;
}

/** The attempts of one login: at most one is counted. */
export interface LoginAttempt {
  /**
   * Whether a guessable answer may be checked, and counts it. To be asked when the answer is there, so that logins that ask at the
   * same time cannot all pass.
   */
  admit(): boolean;
  /** The answer was right. */
  succeeded(): void;
  /** The answer was wrong: once a login. */
  failed(): void;
}

/** Counts guesses, and holds back those that are too many. */
export interface Attempts {
  /** @returns the attempts of a login that begins now */
  begin(subject: Subject): LoginAttempt;
}

/** No counting: only what a source counts itself. */
export const UNLIMITED: Attempts = {
  begin: () => ({ admit: () => true, succeeded: () => undefined, failed: () => undefined }),
};

interface UserCounts {
  /** Over all origins that the user never came from. */
  readonly strangers: Tally;
  readonly origins: BoundedMap<Tally>;
  /** Origins that the user came from: strangers cannot push these out. */
  readonly known: BoundedMap<Tally>;
}

/** Counts in memory. */
export class CountedAttempts implements Attempts {
  readonly #limits: AttemptLimits;
  readonly #known: KnownOrigins;
  readonly #now: () => number;
  readonly #users = new BoundedMap<UserCounts>(MAX_USERS);
  readonly #unknownUsers = new BoundedMap<UserCounts>(MAX_UNKNOWN_USERS);

  /**
   * @param limits - how many guesses are let through
   * @param known - from where users have logged in
   * @param now - a clock in milliseconds that never jumps
   */
  constructor(limits: AttemptLimits, known: KnownOrigins, now: () => number) {
    this.#limits = limits;
    this.#known = known;
    this.#now = now;
  }

  begin(subject: Subject): LoginAttempt {
    let admitted = false;
    let counted = false;
    return {
      admit: () => (admitted ||= this.#admit(subject)),
      succeeded: () => {
        this.#countsOf(subject).tallies.forEach((tally) => tally.succeeded());
        this.#known.note(subject.user, subject.origin);
      },
      failed: () => {
        if (!counted) {
          counted = true;
          this.#failed(subject);
        }
      },
    };
  }

  #admit(subject: Subject): boolean {
    const { perOrigin, perUser, period } = this.#limits;
    const now = this.#now();
    const { own, strangers, tallies } = this.#countsOf(subject);
    if (!own.allows(now, perOrigin, period) || strangers?.allows(now, perUser, period) === false) {
      return false;
    }
    tallies.forEach((tally) => tally.attempted(now));
    return true;
  }

  #failed(subject: Subject): void {
    const { lockAfter, ceiling } = this.#limits;
    const { own, strangers } = this.#countsOf(subject);
    own.failed(this.#now(), lockAfter, this.#limits);
    strangers?.failed(this.#now(), ceiling, this.#limits);
  }

  /** An origin that the user came from has a count of its own, and is not bound by what strangers do. */
  #countsOf({ user, exists, origin }: Subject): {
    own: Tally;
    strangers: Tally | undefined;
    tallies: Tally[];
  } {
    const counts = (exists ? this.#users : this.#unknownUsers).obtain(user, newCounts);
    if (this.#known.knows(user, origin)) {
      // The first success does not give a second helping of attempts: the count of the origin goes on.
      const own = counts.known.obtain(origin, () => counts.origins.obtain(origin, newTally));
      return { own, strangers: undefined, tallies: [own] };
    }
    const own = counts.origins.obtain(origin, newTally);
    return { own, strangers: counts.strangers, tallies: [own, counts.strangers] };
  }
}

function newCounts(): UserCounts {
  return { strangers: new Tally(), origins: new BoundedMap(MAX_ORIGINS), known: new BoundedMap(MAX_ORIGINS) };
}

function newTally(): Tally {
  return new Tally();
}
