import { RANK, type AttemptTable } from './attempt-table.ts';
import type { AttemptLimits } from './limits.ts';
import { Tally, TALLY_BYTES, ticks } from './tally.ts';

/** Remembers the origins that users have logged in from, also over a restart. */
export interface KnownOrigins {
  /** @returns whether the user logged in from there within the last days */
  knows(user: string, origin: string): boolean;
  /** Notes that the user of this uid logged in from there now. */
  note(user: string, origin: string, uid: number | undefined): void;
}

/** Who tries, and from which origin. */
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
   * Which of several sources is guessed at. A code for one says nothing about another, so they are counted separately. Left out
   * for the store and Proxmox.
   */
  readonly source?: string | undefined;
  /** If set, the origin always counts as a stranger's. */
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
   * Whether a guessable answer may be checked, and counts it. Call this when the answer is there, so that simultaneous logins
   * cannot all pass.
   */
  admit(): boolean;
  /** The answer was right. */
  succeeded(): void;
  /** The answer was wrong. It counts once per login. */
  failed(): void;
}

/** Counts guesses, and throttles or locks. */
export interface Attempts {
  /**
   * Begins a login.
   *
   * @param subject - who tries, from where
   * @param limits - limits of the user's factors, which apply to each origin in addition to the usual ones
   * @returns the attempts of this login
   */
  begin(subject: Subject, limits?: readonly OwnLimit[]): LoginAttempt;
}

/** Reads and forgets counts. */
export interface Locks {
  /** @returns for how many milliseconds the guessable factors of a user stay locked for some origin; 0 if they are not locked */
  lockOf(user: string): number;

  /**
   * Forgets what was counted of a user.
   *
   * @param user - whose
   * @param source - only of guesses at this, as a {@link Subject} has it; left out: all
   */
  unlock(user: string, source?: string): void;
}

/** Does not count. Sources still do their own counting. */
export const UNLIMITED: Attempts & Locks = {
  begin: () => ({ admit: () => true, succeeded: () => undefined, failed: () => undefined }),
  lockOf: () => 0,
  unlock: () => undefined,
};

const SECOND_MS = 1_000;

/** The counts that one login concerns. */
interface Tallies {
  /** Of its origin. */
  readonly own: Tally;
  /** The count over all unknown origins; undefined if the origin is known. */
  readonly strangers: Tally | undefined;
}

/** The counts of a login. Looked up again at each step, because others are counted meanwhile. */
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
   * @param known - the origins that users have logged in from
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
   * A known origin has its own count, so strangers do not limit it. If there is no room for that count, the origin is treated as
   * a stranger's. If there is no room for a stranger's own count, only the count over all strangers applies.
   */
  #countsOf(subject: Subject): Counts {
    const { user, exists, origin, source = '', alwaysStranger } = subject;
    const ownKey = this.#table.keyOf({ user, exists, source, origin });
    const strangersKey = this.#table.keyOf({ user, exists, source, origin: undefined });
    return {
      now: () => {
        const now = ticks(this.#now());
        if (alwaysStranger !== true && this.#known.knows(user, placeOf(subject))) {
          // The first success gives no extra attempts: the count of the origin goes on.
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

/** The name of an origin in the ledger. An origin is known only for the source whose code was proven there. */
function placeOf({ origin, source = '' }: Subject): string {
  return source === '' ? origin : `${origin} at ${source}`;
}

function unkept(): Tally {
  return new Tally(Buffer.alloc(TALLY_BYTES), () => undefined);
}
