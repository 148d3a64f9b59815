import { markKey } from '../../ledger/mark-key.ts';
import type { HotpFactor, TotpFactor } from './record.ts';

/**
 * The ledger's key of a TOTP factor: steps of different lengths do not compare.
 *
 * @param user - canonical name
 * @param factor - the factor
 * @returns the key
 */
export function totpKey(user: string, { period, secret }: TotpFactor): string {
  return markKey(user, `totp/${period}`, secret);
}

/**
 * The ledger's key of an HOTP factor.
 *
 * @param user - canonical name
 * @param factor - the factor
 * @returns the key
 */
export function hotpKey(user: string, { secret }: HotpFactor): string {
  return markKey(user, 'hotp', secret);
}

/**
 * The ledger's key of one recovery code.
 *
 * @param user - canonical name
 * @param hash - of the code, as it stands in the record
 * @returns the key
 */
export function recoveryKey(user: string, hash: Uint8Array): string {
  return markKey(user, 'recovery', hash);
}
