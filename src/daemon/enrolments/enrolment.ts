import type { CodeShape, TypedCode } from '../../factors/code-shape.ts';
import type { Claim } from '../ledger/ledger.ts';
import type { LookupOptions } from '../../config/lookup-options.ts';

/* The interfaces of all sources: a look-up, the enrolment that it finds, and the check of an answer. */

/** The user who wants to log in, from the passwd entry. */
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
      /** Index of the reading that was right. */
      readonly reading: number;
      /** What to tell the person even after success. */
      readonly notice?: string;
      /** How many recovery codes are left, if there are few. */
      readonly recoveryCodesLeft?: number;
    }
  | {
      readonly kind: 'rejected';
      readonly reason: Rejection;
      readonly factor?: string;
      /** More about it, for the log. */
      readonly why?: string;
      /** What to tell the person. */
      readonly notice?: string;
    }
  | {
      readonly kind: 'unavailable';
      readonly factor: string;
      readonly why: string;
      /** Other factors of the user can still be checked. */
      readonly tryAnother?: true;
    };

/** A right answer, if its use becomes durable. The caller must commit the claim before it lets anybody in. */
export interface Claimed {
  readonly kind: 'claimed';
  readonly claim: Claim;
  /** The result once the claim is durable. */
  readonly then: Extract<Verification, { kind: 'accepted' }>;
  /** Called once the claim is durable. */
  readonly accepted?: () => void;
}

/** The result of a check: at once, or later if a slow source is asked. */
export type Checked = Verification | Claimed | Promise<Verification | Claimed>;

/** At most so many guesses in so many seconds. */
export interface AttemptLimit {
  readonly attempts: number;
  readonly seconds: number;
}

/**
 * Why an answer is not accepted. `clock-differs`: it is right for another time, and the daemon is learning the phone's clock.
 * `record-unusable`: the enrolment can no longer be used. `not-recorded`: it was right, but its use cannot be recorded.
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
  /** Limits of guesses in addition to the daemon's own. */
  readonly limits?: readonly AttemptLimit[];
  /** Whether the person sees only the texts of {@link verify}, and a throttled login is denied without a text. */
  readonly quiet?: boolean;
  /** Whether only the enrolment counts guesses, not the daemon. */
  readonly countsItself?: boolean;
  /** Where the factors are kept, if not in the store or Proxmox. Guesses at each such place are counted separately. */
  readonly guessedAt?: string;
  /** Whether there are only recovery codes. Then the factors of the next source count, too. */
  readonly onlyRecovery?: boolean;

  /**
   * Checks an answer, and uses the code up. It reads the enrolment again, so a factor that was removed while the person was
   * typing does not count.
   *
   * @param readings - the answer, read as each shape that fits; all of one typed answer, so they are one attempt
   * @param now - milliseconds since 1970
   * @param more - whether the person is asked again if it is wrong
   * @returns how it went; `accepted` only after the use is durable. It never rejects.
   */
  verify(readings: readonly TypedCode[], now: number, more?: boolean): Checked;
}

/**
 * What a source knows about a user. Only `absent` leads to the next source. `blocked`: the record has no usable factor, so the
 * user is denied. `failed`: the look-up failed.
 */
export type AccountLookup =
  | { readonly kind: 'absent' }
  | { readonly kind: 'enrolled'; readonly enrolment: Enrolment }
  | {
      readonly kind: 'blocked';
      readonly why: string;
      readonly quiet?: boolean;
      /** The record has another name. An administrator has to say that it is the same person. */
      readonly renamed?: true;
    }
  | { readonly kind: 'failed'; readonly why: string; readonly quiet?: boolean };

/** The result of a look-up. `refused`: denied without a question. `spared`: let in without a question. */
export type Lookup =
  | AccountLookup
  | {
      readonly kind: 'refused';
      readonly reason: 'too-many-tries' | 'record-unusable' | 'bad-option';
      readonly why?: string;
    }
  | { readonly kind: 'spared'; readonly factor: string };

/** Who wants to log in, from where, and the options of the line in pam.d that concern the look-up. */
export interface LookupRequest {
  /** Undefined if the passwd database has no such user. */
  readonly account: Account | undefined;
  /** Group and home directory of the passwd entry. */
  readonly gid: number | undefined;
  readonly home: string | undefined;
  /** The name that the host passed. It identifies nobody, but may be part of a file name. Undefined if it is not UTF-8. */
  readonly loginName: string | undefined;
  /** The remote host, one character a byte; undefined if there is none, or it cannot be trusted. */
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

/** A place where enrolments are looked up. */
export interface EnrolmentSource {
  /**
   * Looks a user up.
   *
   * @param account - who
   * @returns what the source knows; it never rejects
   */
  lookUp(account: Account): AccountLookup | Promise<AccountLookup>;

  /**
   * Does the work of a look-up for a user who does not exist, so that it takes as long. Left out if a look-up takes almost no
   * time.
   */
  lookUpNobody?(): void | Promise<void>;
}
