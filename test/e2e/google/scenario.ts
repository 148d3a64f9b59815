/*
 * The form of a row of the table. Texts have placeholders, see template.ts: {secret} {grouped} {now} {step} {code} {hotp:N}
 * {wrong}
 * {home} {user} {top}, and {now-40}, {step+1}, {code-1}.
 */

/**
 * How a login ends. `ignored` is PAM_IGNORE, of the only module in the stack; `not-asked`: the conversation failed;
 * `unavailable`: the check was impossible; `hangs` is for ever.
 */
export type End = 'in' | 'out' | 'ignored' | 'user-unknown' | 'not-asked' | 'unavailable' | 'hangs';

/** Why, in the words of our log. */
export type Reason =
  | 'accepted'
  | 'grace-period'
  | 'wrong-code'
  | 'no-code'
  | 'code-already-used'
  | 'clock-differs'
  | 'too-many-tries'
  | 'not-enrolled'
  | 'user-unknown'
  | 'record-unusable'
  | 'not-recorded'
  | 'bad-option'
  | 'cancelled'
  | 'unavailable';

/** How a login ends, and what it leaves behind. */
export interface Outcome {
  readonly end: End;
  /** Null: nothing need be logged. */
  readonly reason: Reason | null;
  /** The text that the log must have besides the reason. */
  readonly says?: RegExp;
  /** What is shown, in order, one call of the conversation each: by default the usual question, hidden. */
  readonly shown?: readonly string[];
  /** What the file says then: by default what it said before. Null: there is none. */
  readonly after?: string | null;
  /** The password that the next module gets: by default the one that was there before, if any. */
  readonly passes?: string | null;
}

/** Where Debian's module differs, and why. */
export interface Difference extends Partial<Outcome> {
  readonly why: string;
  /** The first version of that module that behaves like ours. */
  readonly until?: string;
}

/** One login. */
export interface Login extends Outcome {
  /** Typed to a question: by default the code of now. Null: the person closes the window. */
  readonly answer?: string | null;
  /** Where from. */
  readonly rhost?: string;
  /** What an earlier module asked for. */
  readonly password?: string;
  /** The login name from the host; by default the owner of the file. */
  readonly user?: string;
  readonly google?: Difference;
}

/** The paths that a scenario can change before the first login, as root. */
export interface Place {
  /** The user's home directory. */
  readonly home: string;
  /** The state file. */
  readonly file: string;
  /** A directory of root's that everybody may read. */
  readonly top: string;
  readonly uid: number;
}

/** One row: a file, options, and a login, maybe followed by others. */
export interface Scenario extends Login {
  readonly title: string;
  /** Arguments of the module. */
  readonly options?: string;
  /** The state file, one character a byte: by default an ordinary one for time-based codes. Null: there is none. */
  readonly file?: string | null;
  /** Where the file is: by default ~/.google_authenticator. */
  readonly path?: string;
  /** Its mode, 0600 by default, and whose it is. */
  readonly mode?: number;
  readonly owner?: 'root';
  readonly prepare?: (place: Place) => void;
  readonly then?: readonly Login[];
  /** Only we are asked: why. */
  readonly oursAlone?: string;
}

/** The usual question. */
export const CODE = 'hidden: Verification code: ';
/** Where password and code are typed in one string. */
export const PASSWORD_AND_CODE = 'hidden: Password & verification code: ';
/** Nothing is shown. */
export const NOTHING: readonly string[] = [];

/**
 * A state file for time-based codes.
 *
 * @param more - lines between the secret and the mode
 * @returns its text
 */
export function totp(...more: readonly string[]): string {
  return lines('{secret}', ...more, '" TOTP_AUTH');
}

/**
 * A state file for counter-based codes.
 *
 * @param counter - the counter that is expected next
 * @param more - lines behind the counter
 * @returns its text
 */
export function hotp(counter: number, ...more: readonly string[]): string {
  return lines('{secret}', `" HOTP_COUNTER ${counter}`, ...more);
}

/** A text of lines. */
export function lines(...all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}

/** The code is right. */
export const IN = { end: 'in', reason: 'accepted' } as const;

/** Refused, after the question. */
export function out<R extends Reason>(reason: R): { readonly end: 'out'; readonly reason: R } {
  return { end: 'out', reason };
}

/** Refused at once. */
export function unasked<R extends Reason>(reason: R) {
  return { ...out(reason), shown: NOTHING };
}

/**
 * Refused because the file is invalid.
 *
 * @param says - the log's text about it
 */
export function unusable(says: RegExp) {
  return { ...out('record-unusable'), says };
}
