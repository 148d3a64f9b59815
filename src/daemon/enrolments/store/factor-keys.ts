import type { Hotp } from '../../../factors/hotp.ts';
import type { Totp } from '../../../factors/totp.ts';
import type { OfflineYubikey } from '../../../factors/yubikey.ts';
import { markKey } from '../../ledger/mark-key.ts';
import type { ScratchCodes } from './imported-file.ts';
import type { StoredFactor } from './record.ts';

/* The ledger's keys of each kind of factor. */

/**
 * The ledger's key of a TOTP factor: steps of different lengths cannot be compared.
 *
 * @param user - canonical name
 * @param factor - the factor
 * @returns the key
 */
export function totpKey(user: string, { period, secret }: Totp): string {
  return markKey(user, `totp/${period}`, secret);
}

/**
 * The ledger's key of an HOTP factor.
 *
 * @param user - canonical name
 * @param factor - the factor
 * @returns the key
 */
export function hotpKey(user: string, { secret }: Hotp): string {
  return markKey(user, 'hotp', secret);
}

/**
 * The ledger's key of a YubiKey: a reprogrammed key starts to count again, so it has another ledger key.
 *
 * @param user - canonical name
 * @param yubikey - the key
 * @returns the key
 */
export function yubikeyKey(user: string, yubikey: { readonly publicId: string } | OfflineYubikey): string {
  if (!('aesKey' in yubikey)) {
    return markKey(user, 'yubikey-online', Buffer.from(yubikey.publicId));
  }
  const secret = Buffer.concat([yubikey.aesKey, yubikey.privateId]);
  const key = markKey(user, 'yubikey', secret);
  secret.fill(0);
  return key;
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

/**
 * The ledger's key of one scratch code. The key includes the file's secret; otherwise somebody with a copy of the ledger could
 * try all short codes.
 *
 * @param user - canonical name
 * @param codes - its set of codes
 * @param code - eight ASCII digits
 * @returns the key
 */
export function scratchKey(user: string, { secret }: ScratchCodes, code: Uint8Array): string {
  const bytes = Buffer.concat([code, secret]);
  const key = markKey(user, 'scratch', bytes);
  bytes.fill(0);
  return key;
}

/**
 * The ledger's keys of all codes of a factor.
 *
 * @param user - canonical name
 * @param factor - the factor
 * @returns the keys
 */
export function keysOf(user: string, factor: StoredFactor): string[] {
  switch (factor.kind) {
    case 'totp':
      return [totpKey(user, factor)];
    case 'hotp':
      return [hotpKey(user, factor)];
    case 'yubikey-online':
    case 'yubikey-offline':
      return [yubikeyKey(user, factor)];
    case 'recovery':
      return factor.hashes.map((hash) => recoveryKey(user, hash));
    case 'google-authenticator': {
      const { token, scratch } = factor.file;
      return [
        ...(token === undefined ? [] : [token.kind === 'totp' ? totpKey(user, token) : hotpKey(user, token)]),
        ...scratch.codes.map((code) => scratchKey(user, scratch, code)),
      ];
    }
  }
}
