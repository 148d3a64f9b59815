import { BoundedMap } from './bounded-map.ts';
import { MAX_ORIGINS, MAX_UNKNOWN_USERS, MAX_USERS, type AttemptLimits } from './limits.ts';
import { Tally } from './tally.ts';

/** Remembers from where users have logged in, also over a restart. */
export interface KnownOrigins {
  /** @returns whether the user logged in from there within the last days */
  knows(user: string, origin: string): boolean;
  /** Notes that the user, whose uid it is, logged in from there now. */
  note(user: string, origin: string, uid: number | undefined): void;
}

/** Who tries, from where. */
export interface Subject {
  /** The name that counts are kept under. */
  readonly user: string;
  /** Whether there is such a user. */
  readonly exists: boolean;
  /** The user's uid; left out: there is no account. */
  readonly uid?: number | undefined;
  /** Made by {@link originOf}. */
  readonly origin: string;
  /** The origin never counts as one that the user came from: what strangers are held to holds for it, too. */
  readonly alwaysStranger?: true;
}

/** At most so many guesses in so many seconds. */
export interface OwnLimit {
  readonly attempts: number;
  readonly seconds: number;
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
  /**
   * Begins a login.
   *
   * @param subject - who tries, from where
   * @param limits - limits of the user's factors, which hold for each origin beside the usual ones
   * @returns the attempts of this login
   */
  begin(subject: Subject, limits?: readonly OwnLimit[]): LoginAttempt;
}

/** What was counted, to look at and to forget. */
export interface Locks {
  /** @returns for how many milliseconds the guessable factors of a user stay locked for some origin; 0: they are not */
  lockOf(user: string): number;

  /** Forgets what was counted of a user. */
  unlock(user: string): void;
}

/** No counting: only what a source counts itself. */
export const UNLIMITED: Attempts & Locks = {
  begin: () => ({ admit: () => true, succeeded: () => undefined, failed: () => undefined }),
  lockOf: () => 0,
  unlock: () => undefined,
};

const SECOND_MS = 1_000;

interface UserCounts {
  /** Over all origins that the user never came from. */
  readonly strangers: Tally;
  readonly origins: BoundedMap<Tally>;
  /** Origins that the user came from: strangers cannot push these out. */
  readonly known: BoundedMap<Tally>;
}

/** Counts in memory. */
export class CountedAttempts implements Attempts, Locks {
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

  begin(subject: Subject, limits: readonly OwnLimit[] = []): LoginAttempt {
    let admitted = false;
    let counted = false;
    return {
      admit: () => (admitted ||= this.#admit(subject, limits)),
      succeeded: () => {
        this.#countsOf(subject).tallies.forEach((tally) => tally.succeeded());
        if (subject.alwaysStranger !== true) {
          this.#known.note(subject.user, subject.origin, subject.uid);
        }
      },
      failed: () => {
        if (!counted) {
          counted = true;
          this.#failed(subject);
        }
      },
    };
  }

  lockOf(user: string): number {
    const counts = this.#users.peek(user);
    const tallies =
      counts === undefined ? [] : [counts.strangers, ...counts.origins.values(), ...counts.known.values()];
    return Math.max(0, ...tallies.map((tally) => tally.lockedUntil - this.#now()));
  }

  unlock(user: string): void {
    this.#users.delete(user);
  }

  #admit(subject: Subject, limits: readonly OwnLimit[]): boolean {
    const { perOrigin, perUser, period } = this.#limits;
    const now = this.#now();
    const { own, strangers, tallies } = this.#countsOf(subject);
    if (!own.allows(now, perOrigin, period) || strangers?.allows(now, perUser, period) === false) {
      return false;
    }
    if (limits.some(({ attempts, seconds }) => !own.allows(now, attempts, seconds * SECOND_MS))) {
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
  #countsOf({ user, exists, origin, alwaysStranger }: Subject): {
    own: Tally;
    strangers: Tally | undefined;
    tallies: Tally[];
  } {
    const counts = (exists ? this.#users : this.#unknownUsers).obtain(user, newCounts);
    if (alwaysStranger !== true && this.#known.knows(user, origin)) {
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
