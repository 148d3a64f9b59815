import { createHash } from 'node:crypto';
import { encodeBase32 } from '../../src/factors/base32.ts';
import { hotpValue } from '../../src/factors/hotp-value.ts';
import { DEFAULT_PERIOD, timeStep } from '../../src/factors/totp.ts';

/** Enrolled users; as many again have an account, but no factor. */
export const ENROLLED = 10_000;
/** Enrolled users of the small world: they have HOTP, because a TOTP code works only once in 30 seconds. */
export const FEW = 10;
/** Recovery codes of ours, and scratch codes of the peer, per user. */
export const CODES_PER_SET = 10;

const FIRST_UID = 200_000;
const SECRET_BYTES = 20;
const RECOVERY_BYTES = 10;
/** Of five users one has HOTP; of ten one has recovery codes beside TOTP; all others have TOTP. */
const HOTP_EVERY = 5;
const RECOVERY_EVERY = 10;

/** What a user of the benchmark has. */
export type Kind = 'hotp' | 'totp' | 'totp-and-recovery';

/** A user of the benchmark: name and uid are those of nss-bench.c. */
export interface User {
  readonly index: number;
  readonly name: string;
  readonly uid: number;
  readonly kind: Kind;
  readonly secret: Buffer;
}

/**
 * The user of an index: always the same.
 *
 * @param index - from 0 on
 * @returns the user
 */
export function userOf(index: number): User {
  const kind =
    index % HOTP_EVERY === 0 ? 'hotp' : index % RECOVERY_EVERY === 1 ? 'totp-and-recovery' : 'totp';
  return {
    index,
    name: `bench${index}`,
    uid: FIRST_UID + index,
    kind,
    secret: digest(`secret ${index}`).subarray(0, SECRET_BYTES),
  };
}

/**
 * Enrolled users of a kind.
 *
 * @param kind - which
 * @param count - how many at most
 * @returns the first of them
 */
export function usersOf(kind: Kind, count: number = ENROLLED): User[] {
  return Array.from({ length: ENROLLED }, (_, index) => userOf(index))
    .filter((user) => user.kind === kind)
    .slice(0, count);
}

/**
 * A one-time password.
 *
 * @param user - whose
 * @param counter - HOTP's counter or TOTP's time step
 * @returns six digits
 */
export function code({ secret }: User, counter: number): string {
  return hotpValue({ secret, algorithm: 'sha1', digits: 6 }, counter).toString('latin1');
}

/** @returns the time step of now */
export function stepNow(): number {
  return timeStep(DEFAULT_PERIOD, Date.now());
}

/**
 * A recovery code of ours.
 *
 * @param user - whose
 * @param number - from 0 on
 * @returns 16 base32 characters
 */
export function recoveryCode(user: User, number: number): string {
  return encodeBase32(digest(`recovery ${user.index} ${number}`).subarray(0, RECOVERY_BYTES));
}

/**
 * A scratch code of pam_google_authenticator.
 *
 * @param user - whose
 * @param number - from 0 on
 * @returns eight digits, the first not zero
 */
export function scratchCode(user: User, number: number): string {
  return String(10_000_000 + (digest(`scratch ${user.index} ${number}`).readUInt32BE(0) % 90_000_000));
}

function digest(what: string): Buffer {
  return createHash('sha256').update(`pve-authenticator bench: ${what}`).digest();
}
