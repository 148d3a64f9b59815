import { RANK, type AttemptTable } from './attempt-table.ts';
import type { AttemptLimits } from './limits.ts';
import { Tally, TALLY_BYTES, ticks } from './tally.ts';

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
  /**
   * What is guessed at, where one user has several: a code of the one says nothing about the other, so they are counted apart. Left out:
   * what the store or Proxmox has.
   */
  readonly source?: string | undefined;
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

  /**
   * Forgets what was counted of a user.
   *
   * @param user - whose
   * @param source - only of guesses at this, as a {@link Subject} has it; left out: all
   */
  unlock(user: string, source?: string): void;
}

/** No counting: only what a source counts itself. */
export const UNLIMITED: Attempts & Locks = {
  begin: () => ({ admit: () => true, succeeded: () => undefined, failed: () => undefined }),
  lockOf: () => 0,
  unlock: () => undefined,
};

const SECOND_MS = 1_000;

/** What counts for one login. */
interface Tallies {
  /** Of its origin. */
  readonly own: Tally;
  /** Over all origins that the user never came from; undefined: it is none of these. */
  readonly strangers: Tally | undefined;
}

/** Where a login is counted: looked up anew at each step, since others are counted meanwhile. */
interface Counts {
  now(): Tallies;
}

/** Counts in a table. */
export class CountedAttempts implements Attempts, Locks {
  readonly #limits: AttemptLimits;
  readonly #known: KnownOrigins;
  readonly #now: () => number;
  readonly #table: AttemptTable;

  /**
   * @param limits - how many guesses are let through
   * @param known - from where users have logged in
   * @param now - a clock in milliseconds that never jumps, since the machine was started
   * @param table - what was counted so far
   */
  constructor(limits: AttemptLimits, known: KnownOrigins, now: () => number, table: AttemptTable) {
    this.#limits = limits;
    this.#known = known;
    this.#now = now;
    this.#table = table;
  }

  begin(subject: Subject, limits: readonly OwnLimit[] = []): LoginAttempt {
    let counts: Counts | undefined;
    const counted = (): Counts => (counts ??= this.#countsOf(subject));
    let admitted = false;
    let failed = false;
    return {
      admit: () => (admitted ||= this.#admit(counted().now(), limits)),
      succeeded: () => {
        const { own, strangers } = counted().now();
        own.succeeded();
        strangers?.succeeded();
        if (subject.alwaysStranger !== true) {
          this.#known.note(subject.user, placeOf(subject), subject.uid);
        }
      },
      failed: () => {
        if (!failed) {
          failed = true;
          this.#failed(counted().now());
        }
      },
    };
  }

  lockOf(user: string): number {
    return Math.max(0, ...this.#table.of(user).map((tally) => tally.lockedUntil - this.#now()));
  }

  unlock(user: string, source?: string): void {
    this.#table.forget(user, source);
  }

  #admit({ own, strangers }: Tallies, limits: readonly OwnLimit[]): boolean {
    const { perOrigin, perUser, period } = this.#limits;
    const now = this.#now();
    if (!own.allows(now, perOrigin, period) || strangers?.allows(now, perUser, period) === false) {
      return false;
    }
    if (limits.some(({ attempts, seconds }) => !own.allows(now, attempts, seconds * SECOND_MS))) {
      return false;
    }
    own.attempted(now);
    strangers?.attempted(now);
    return true;
  }

  #failed({ own, strangers }: Tallies): void {
    const { lockAfter, ceiling } = this.#limits;
    own.failed(this.#now(), lockAfter, this.#limits);
    strangers?.failed(this.#now(), ceiling, this.#limits);
  }

  /**
   * An origin that the user came from has a count of its own, and is not bound by what strangers do. Where there is no room for that
   * count it is a stranger's; what all strangers share bounds a stranger's that has no room.
   */
  #countsOf(subject: Subject): Counts {
    const { user, exists, origin, source = '', alwaysStranger } = subject;
    const ownKey = this.#table.keyOf({ user, exists, source, origin });
    const strangersKey = this.#table.keyOf({ user, exists, source, origin: undefined });
    return {
      now: () => {
        const now = ticks(this.#now());
        if (alwaysStranger !== true && this.#known.knows(user, placeOf(subject))) {
          // The first success does not give a second helping of attempts: the count of the origin goes on.
          const own = this.#table.obtain(ownKey, RANK.known, now);
          if (own !== undefined) {
            return { own, strangers: undefined };
          }
        }
        const strangers = this.#table.obtain(strangersKey, RANK.allStrangers, now) ?? unkept();
        return { own: this.#table.obtain(ownKey, RANK.stranger, now) ?? unkept(), strangers };
      },
    };
  }
}

/** From where, as far as the ledger knows: a place is known for what was proven there, and for nothing else. */
function placeOf({ origin, source = '' }: Subject): string {
  return source === '' ? origin : `${origin} at ${source}`;
}

function unkept(): Tally {
  return new Tally(Buffer.alloc(TALLY_BYTES), () => undefined);
}
