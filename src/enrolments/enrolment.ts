import type { CodeShape, TypedCode } from '../factors/code-shape.ts';

/** Who wants to log in, as the passwd entry says. */
export interface Account {
  /** Canonical name. */
  readonly name: string;
  readonly uid: number;
}

/** How the check of an answer ended. */
export type Verification =
  | {
      readonly kind: 'accepted';
      /** Kind and name of the factor, for the log: "totp:pixel-7". */
      readonly factor: string;
      /** Which of the readings of the answer was right: its index. */
      readonly reading: number;
    }
  | { readonly kind: 'rejected'; readonly reason: 'wrong-code' }
  | { readonly kind: 'rejected'; readonly reason: 'code-already-used'; readonly factor: string }
  | {
      readonly kind: 'unavailable';
      readonly factor: string;
      readonly why: string;
      /** Other factors of the user can still be checked. */
      readonly tryAnother?: true;
    };

/** At most so many guesses in so many seconds. */
export interface AttemptLimit {
  readonly attempts: number;
  readonly seconds: number;
}

/** What a user has enrolled, in one source. */
export interface Enrolment {
  /** The shapes of answer that the factors take; never empty. */
  readonly shapes: readonly CodeShape[];
  /** Limits of guesses that hold beside the daemon's own; left out: none. */
  readonly limits?: readonly AttemptLimit[];

  /**
   * Checks an answer, and uses the code up. The enrolment counts as it is by then, so that a factor that was removed while the person was
   * typing does not count.
   *
   * @param readings - the answer, read as each shape that fits; one typed answer, so one attempt
   * @param now - milliseconds since 1970
   * @returns how it ended; `accepted` only after the use is durable
   */
  verify(readings: readonly TypedCode[], now: number): Promise<Verification>;
}

/**
 * What a source knows of a user. Only `absent` asks the next source. `blocked`: a record without a usable factor, denied.
 * `failed`: it could not be found out.
 */
export type Lookup =
  | { readonly kind: 'absent' }
  | { readonly kind: 'enrolled'; readonly enrolment: Enrolment }
  | { readonly kind: 'blocked'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Where enrolments are looked up. */
export interface EnrolmentSource {
  /**
   * Looks a user up.
   *
   * @param account - who
   * @returns what the source knows; it never rejects
   */
  lookUp(account: Account): Promise<Lookup>;
}
