import { hash } from 'node:crypto';

/** Bytes of a key: enough that no two factors share one by accident. */
export const MARK_KEY_BYTES = 16;

/**
 * The name of a mark in the ledger: the user and a one-way function of the secret, so removing a secret and adding it again, or
 * finding it in two sources, does not make used codes valid.
 *
 * @param user - canonical name of the user
 * @param purpose - what the mark counts, for example "totp/30"; different purposes have different keys
 * @param secret - the factor's secret
 * @returns 32 hexadecimal digits
 */
export function markKey(user: string, purpose: string, secret: Uint8Array): string {
  const parts = ['pve-authenticator mark 1', user, purpose, secret].map((part) => Buffer.from(part));
  const bytes = Buffer.alloc(parts.reduce((sum, { length }) => sum + 4 + length, 0));
  let end = 0;
  for (const part of parts) {
    end = bytes.writeUInt32BE(part.length, end);
    end += part.copy(bytes, end);
    part.fill(0);
  }
  const digest = hash('sha256', bytes, 'hex');
  bytes.fill(0);
  return digest.slice(0, 2 * MARK_KEY_BYTES);
}
