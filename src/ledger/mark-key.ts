import { createHash } from 'node:crypto';

/** Bytes of a key: enough that no two factors share one by accident. */
export const MARK_KEY_BYTES = 16;

/**
 * The name of a mark in the ledger: the user and a one-way function of the secret, so that removing a secret and adding it
 * again, or finding it in two sources, does not reset what has been used up.
 *
 * @param user - canonical name of the user
 * @param purpose - what the mark counts, for example "totp/30": marks of different purposes do not compare
 * @param secret - the factor's secret
 * @returns 32 hexadecimal digits
 */
export function markKey(user: string, purpose: string, secret: Uint8Array): string {
  const hash = createHash('sha256');
  for (const part of ['pve-authenticator mark 1', user, purpose, secret]) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
    bytes.fill(0);
  }
  return hash.digest().toString('hex', 0, MARK_KEY_BYTES);
}
