import type { CodeShape, TypedCode } from '../../factors/code-shape.ts';
import type { Claim } from '../ledger/ledger.ts';
import type { LookupOptions } from '../../config/lookup-options.ts';

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
      /** What the person is told all the same. */
      readonly notice?: string;
      /** How many recovery codes are left, when that is few. */
      readonly recoveryCodesLeft?: number;
    }
  | {
      readonly kind: 'rejected';
      readonly reason: Rejection;
      readonly factor?: string;
      /** More about it, for the log. */
      readonly why?: string;
      /** What the person is told. */
      readonly notice?: string;
    }
  | {
      readonly kind: 'unavailable';
      readonly factor: string;
      readonly why: string;
      /** Other factors of the user can still be checked. */
      readonly tryAnother?: true;
    };

/** An answer that is right, if its use becomes durable: who asked commits the claim before anybody is let in. */
export interface Claimed {
  readonly kind: 'claimed';
  readonly claim: Claim;
  /** How the check ends then. */
  readonly then: Extract<Verification, { kind: 'accepted' }>;
  /** To be called once it is durable; left out: nothing. */
  readonly accepted?: () => void;
}

/** How a check went: at once, or later where something slow is asked. */
export type Checked = Verification | Claimed | Promise<Verification | Claimed>;

/** At most so many guesses in so many seconds. */
export interface AttemptLimit {
  readonly attempts: number;
  readonly seconds: number;
}

/**
 * Why an answer is not taken. `clock-differs`: it is right for another time, and the phone's clock is being learnt. `record-unusable`:
 * what is enrolled cannot be used any more. `not-recorded`: it was right, but its use cannot be recorded.
 */
export type Rejection =
  | 'wrong-code'
  | 'code-already-used'
  | 'clock-differs'
  | 'too-many-tries'
  | 'record-unusable'
  | 'not-recorded';

/** What a user has enrolled, in one source. */
export interface Enrolment {
  /** The shapes of answer that the factors take; never empty. */
  readonly shapes: readonly CodeShape[];
  /** Limits of guesses that hold beside the daemon's own; left out: none. */
  readonly limits?: readonly AttemptLimit[];
  /** Whether the person is told nothing but what {@link verify} says, and whoever is held back is just denied. */
  readonly quiet?: boolean;
  /** Whether only the enrolment itself counts guesses. */
  readonly countsItself?: boolean;
  /** What is guessed at, if it is kept elsewhere than in the store or Proxmox: guesses at it are counted apart. */
  readonly guessedAt?: string;
  /** Whether it holds nothing but recovery codes: then the factors that the next source has count, too. */
  readonly onlyRecovery?: boolean;

  /**
   * Checks an answer, and uses the code up. The enrolment counts as it is by then, so that a factor that was removed while the person was
   * typing does not count.
   *
   * @param readings - the answer, read as each shape that fits; one typed answer, so one attempt
   * @param now - milliseconds since 1970
   * @param more - whether a question follows if it is wrong: then it was not the person's last word
   * @returns how it went; `accepted` only after the use is durable. It never rejects.
   */
  verify(readings: readonly TypedCode[], now: number, more?: boolean): Checked;
}

/**
 * What a source knows of a user. Only `absent` asks the next source. `blocked`: a record without a usable factor, denied.
 * `failed`: it could not be found out.
 */
export type AccountLookup =
  | { readonly kind: 'absent' }
  | { readonly kind: 'enrolled'; readonly enrolment: Enrolment }
  | {
      readonly kind: 'blocked';
      readonly why: string;
      readonly quiet?: boolean;
      /** The record has another name: the administrator has to say that it is the same person. */
      readonly renamed?: true;
    }
  | { readonly kind: 'failed'; readonly why: string; readonly quiet?: boolean };

/** What is known of somebody who logs in. `refused`: denied without a question. `spared`: let in without a question. */
export type Lookup =
  | AccountLookup
  | {
      readonly kind: 'refused';
      readonly reason: 'too-many-tries' | 'record-unusable' | 'bad-option';
      readonly why?: string;
    }
  | { readonly kind: 'spared'; readonly factor: string };

/** Who wants to log in, from where, and what the line in pam.d says about looking them up. */
export interface LookupRequest {
  /** Undefined: nobody of this name is in the passwd database. */
  readonly account: Account | undefined;
  /** Group and home directory of the passwd entry. */
  readonly gid: number | undefined;
  readonly home: string | undefined;
  /** As the host calls the user: it names nobody, but may be a part of a file's name. Undefined: not UTF-8. */
  readonly loginName: string | undefined;
  /** The remote host, one character a byte; undefined when there is none, or it is not to be believed. */
  readonly rhost: string | undefined;
  readonly options: LookupOptions;
}

/** All enrolments, whatever source they come from. */
export interface Enrolments {
  /**
   * Looks a user up.
   *
   * @param request - who, how
   * @returns what is known; it never rejects
   */
  lookUp(request: LookupRequest): Lookup | Promise<Lookup>;
}

/** Where enrolments are looked up. */
export interface EnrolmentSource {
  /**
   * Looks a user up.
   *
   * @param account - who
   * @returns what the source knows; it never rejects
   */
  lookUp(account: Account): AccountLookup | Promise<AccountLookup>;

  /** Does the work of a look-up for whoever does not exist, so that it takes as long. Left out: it takes next to no time. */
  lookUpNobody?(): void | Promise<void>;
}
