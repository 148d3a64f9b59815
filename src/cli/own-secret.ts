import { decodeBase32 } from '../factors/base32.ts';
import { MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../factors/hotp-value.ts';

/** Proxmox's oathkeygen and its TFA configuration mark hexadecimal keys by `v2-0x`, base32 by `v2-`. */
const HEXADECIMAL = /^(?:v2-)?0x((?:[0-9a-f]{2})+)$/i;

/**
 * Reads a secret that somebody brings along: base32, or hexadecimal behind `0x`.
 *
 * @param text - one line
 * @returns the bytes, or undefined when it is neither, or has not 10 to 128 bytes
 */
export function parseSecret(text: string): Buffer | undefined {
  const bare = text.trim();
  const hexadecimal = HEXADECIMAL.exec(bare)?.[1];
  const secret =
    hexadecimal === undefined ? decodeBase32(bare.replace(/^v2-/, '')) : Buffer.from(hexadecimal, 'hex');
  return secret !== undefined && secret.length >= MIN_SECRET_BYTES && secret.length <= MAX_SECRET_BYTES
    ? secret
    : undefined;
}
