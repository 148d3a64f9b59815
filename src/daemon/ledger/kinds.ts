import type { MarkKind, Note } from './ledger.ts';

/* Kinds and times of marks. */

/**
 * The kind of a mark, a number that is stored with each mark. A number never gets a new meaning. Unknown numbers are kept as they
 * are.
 */
export const KIND = {
  /** Written before marks had kinds. */
  unknown: 1,
  /** The last time step of a phone. */
  timeStep: 2,
  /** The last counter of a token or YubiKey, or a used recovery code. */
  counter: 3,
  /** Where a user's file was. */
  place: 4,
  /** The day of the last login from an origin. */
  origin: 5,
  /** The last login from a host, for `grace_period=`. */
  grace: 6,
} as const;

/** One of {@link KIND}, or a number of a later version. */
export type Kind = number;

/** In place of a uid: the owner has no account here, or is unknown. No account can have this uid. */
export const NO_UID = 0xffff_ffff;

/** In place of a time: the mark is never forgotten. */
export const ALWAYS = 0;
/** In place of a time: the mark stays as long as its owner does not need the room for newer ones. */
export const WHILE_ROOM = 0xffff_ffff;

/** Times on the disk end in 2106. */
const LAST_TIME = WHILE_ROOM - 1;

/**
 * Converts a time to the form that marks have.
 *
 * @param seconds - since 1970, from a clock that may be wrong
 * @returns the nearest time that can be kept
 */
export function markTime(seconds: number): number {
  return Math.min(Math.max(Math.floor(seconds), 1), LAST_TIME);
}

/** The kind of mark for a use. */
export const KIND_OF: Readonly<Record<MarkKind['kind'] | Note['kind'], Kind>> = {
  'time-step': KIND.timeStep,
  counter: KIND.counter,
  place: KIND.place,
  origin: KIND.origin,
  grace: KIND.grace,
};
