const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const TEXT = /^[A-Za-z2-7=]*$/;
const BITS_PER_CHARACTER = 5;
/** The most padding characters at the end of a group of eight. */
const MOST_PADDING = 6;

/**
 * Reads base32 as Rust's crate base32 does, which Proxmox reads secrets with: capitals or not, up to six `=` at the end are padding, any
 * other `=` is a zero, and bits that do not fill a byte are dropped.
 *
 * @param text - the base32 text
 * @returns the bytes, possibly none; undefined if a character is not base32. A secret: wipe it after use.
 */
export function decodeCrateBase32(text: string): Buffer | undefined {
  if (!TEXT.test(text)) {
    return undefined;
  }
  let length = text.length;
  while (length > 0 && text.length - length < MOST_PADDING && text[length - 1] === '=') {
    length--;
  }
  const bytes = Buffer.alloc(Math.floor((length * BITS_PER_CHARACTER) / 8));
  let [value, bits, filled] = [0, 0, 0];
  for (const digit of text.slice(0, length).toUpperCase()) {
    value = ((value << BITS_PER_CHARACTER) | Math.max(ALPHABET.indexOf(digit), 0)) & 0xfff;
    bits += BITS_PER_CHARACTER;
    if (bits >= 8) {
      bits -= 8;
      bytes[filled++] = (value >>> bits) & 0xff;
    }
  }
  return bytes;
}
