import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { encodeBase32 } from './base32.ts';

/** Codes in a set. */
export const RECOVERY_CODES = 10;
/** Characters of a code: 80 bits, which nobody guesses. */
export const RECOVERY_CODE_LENGTH = 16;
const CODE_BYTES = 10;
const GROUP_LENGTH = 4;
/** Bytes of the key of the hashes, and of a hash: SHA-256. */
export const RECOVERY_KEY_BYTES = 32;
export const RECOVERY_HASH_BYTES = 32;

/**
 * Makes a new set of recovery codes.
 *
 * @returns ten codes of 16 base32 characters in four groups, `XXXX-XXXX-XXXX-XXXX`. They are secrets, shown once.
 */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const code = encodeBase32(randomBytes(CODE_BYTES));
    return (code.match(new RegExp(`.{${GROUP_LENGTH}}`, 'g')) ?? []).join('-');
  });
}

/**
 * The hash under which a recovery code is kept. A key that is not in the record keeps a copy of the record from being searched.
 *
 * @param key - 32 bytes, the same for all users of a store
 * @param user - canonical name: the same code of two users has two hashes
 * @param code - as shown or as typed: capitals or not, with dashes and spaces or not
 * @returns 32 bytes: HMAC-SHA-256
 */
export function recoveryHash(key: Uint8Array, user: string, code: string): Buffer {
  const bare = code.replaceAll(/[\s-]/g, '').toUpperCase();
  return createHmac('sha256', key).update(`recovery code 1\0${user}\0${bare}`).digest();
}

/**
 * Looks for a code in a set. All hashes are compared in constant time, whatever matches.
 *
 * @param hashes - of the set
 * @param hash - of what was typed
 * @returns the hash in the set, or undefined
 */
export function matchRecoveryHash(hashes: readonly Buffer[], hash: Uint8Array): Buffer | undefined {
  let matched: Buffer | undefined;
  for (const candidate of hashes) {
    if (timingSafeEqual(candidate, hash)) {
      matched = candidate;
    }
  }
  return matched;
}
