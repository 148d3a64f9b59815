import { decodeBase32 } from '../../factors/base32.ts';
import { MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../factors/hotp-value.ts';
import { readOathKey } from '../../formats/oath-key.ts';

/** `0x`, as people write hexadecimal numbers; `v2-` marks Proxmox's keys, here in lower case and with blanks, too. */
const HEXADECIMAL = /^(?:v2-)?0x((?:[0-9a-f]{2})+)$/i;

/**
 * Reads a user's own secret: a key of Proxmox ({@link readOathKey}), hexadecimal after `0x`, or base32 as people write it.
 *
 * @param text - one line
 * @returns the bytes, or undefined if it has another form, or not 10 to 128 bytes
 */
export function parseSecret(text: string): Buffer | undefined {
  const bare = text.trim();
  const secret = readOathKey(bare) ?? fromHexadecimal(bare) ?? decodeBase32(bare.replace(/^v2-/, ''));
  return secret !== undefined && secret.length >= MIN_SECRET_BYTES && secret.length <= MAX_SECRET_BYTES
    ? secret
    : undefined;
}

function fromHexadecimal(text: string): Buffer | undefined {
  const digits = HEXADECIMAL.exec(text)?.[1];
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}
