import { decodeBase32 } from '../factors/base32.ts';

const V2_HEXADECIMAL = /^v2-0x([0-9a-fA-F]+)$/;
const V2_BASE32 = /^v2-([A-Z2-7]+=*)$/;
/** What `oathkeygen` prints: 10 random bytes. */
const V1_BASE32 = /^[A-Z2-7]{16}$/;
/** 20 bytes. Some of them are base32, too: Proxmox reads them as hexadecimal. */
const V1_HEXADECIMAL = /^[0-9a-f]{40}$/i;

/**
 * Reads an OATH key as Proxmox VE has it: what `oathkeygen` prints, and what stands in the `keys` of a user or in an old `tfa.cfg`.
 * The forms are those of PVE::OTP and no others: `v2-0x` and hexadecimal digits, `v2-` and base32 in capitals, 16 base32 characters in
 * capitals, or 40 hexadecimal digits.
 *
 * @param key - one key, without blanks around it
 * @returns the secret, of whatever length from one byte on; undefined when it has none of the forms. A secret: wipe it after use.
 */
export function readOathKey(key: string): Buffer | undefined {
  const hexadecimal = V2_HEXADECIMAL.exec(key)?.[1] ?? V1_HEXADECIMAL.exec(key)?.[0];
  if (hexadecimal !== undefined) {
    // Half a byte at the end is filled with zeros, as Perl's pack("H*") does.
    return Buffer.from(hexadecimal.length % 2 === 0 ? hexadecimal : `${hexadecimal}0`, 'hex');
  }
  const base32 = V2_BASE32.exec(key)?.[1] ?? V1_BASE32.exec(key)?.[0];
  return base32 === undefined ? undefined : decodeBase32(base32);
}
