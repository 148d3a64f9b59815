const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BITS_PER_CHARACTER = 5;
/** Checked before the change to capitals, which makes ASCII letters of some that are none (U+017F, U+FB01). */
const DIGITS = /^[A-Za-z2-7]+$/;
const PADDING = /^=*$/;

/**
 * Writes bytes in base32 without padding (RFC 4648, section 6).
 *
 * @param bytes - any bytes
 * @returns capitals and the digits 2 to 7
 */
export function encodeBase32(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let value = 0;
  for (const byte of bytes) {
    value = (value << 8) | byte;
    bits += 8;
    while (bits >= BITS_PER_CHARACTER) {
      bits -= BITS_PER_CHARACTER;
      text += ALPHABET.charAt((value >>> bits) & 31);
    }
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + ALPHABET.charAt((value << (BITS_PER_CHARACTER - bits)) & 31);
}

/**
 * Reads base32 as people and other programs write it: capitals or not, with spaces or dashes between groups, with or without
 * padding at the end. Bits that do not fill a byte are dropped, because generators disagree about them.
 *
 * @param text - the base32 text
 * @returns the bytes, or undefined when there is a character that is not base32, or no whole byte
 */
export function decodeBase32(text: string): Buffer | undefined {
  const padded = text.replaceAll(/[ \t-]/g, '');
  const padding = padded.indexOf('=');
  const digits = padding < 0 ? padded : padded.slice(0, padding);
  if (!DIGITS.test(digits) || !PADDING.test(padded.slice(digits.length))) {
    return undefined;
  }
  const bytes = Buffer.alloc(Math.floor((digits.length * BITS_PER_CHARACTER) / 8));
  let bits = 0;
  let value = 0;
  let filled = 0;
  for (const digit of digits.toUpperCase()) {
    value = ((value << BITS_PER_CHARACTER) | ALPHABET.indexOf(digit)) & 0xfff;
    bits += BITS_PER_CHARACTER;
    if (bits >= 8) {
      bits -= 8;
      bytes[filled++] = (value >>> bits) & 0xff;
    }
  }
  return bytes.length === 0 ? undefined : bytes;
}
