/** Sixteen letters that are on the same keys of most keyboards, in the order of their values. */
export const ALPHABET = 'cbdefghijklnrtuv';
const MODHEX = /^(?:[cbdefghijklnrtuv]{2})*$/;

/**
 * Writes bytes in modhex: hexadecimal with other digits, so that a key that types them does not depend on the keyboard's layout.
 *
 * @param bytes - any bytes
 * @returns two letters for each byte
 * @example
 * encodeModhex(Buffer.from('test')); // 'ifhgieif'
 */
export function encodeModhex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => ALPHABET.charAt(byte >> 4) + ALPHABET.charAt(byte & 15)).join('');
}

/**
 * Reads modhex.
 *
 * @param text - small letters only
 * @returns the bytes, or undefined when there is another character, or half a byte
 * @example
 * decodeModhex('ifhgieif')?.toString(); // 'test'
 */
export function decodeModhex(text: string): Buffer | undefined {
  if (!MODHEX.test(text)) {
    return undefined;
  }
  const bytes = Buffer.alloc(text.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    const high = ALPHABET.indexOf(text.charAt(2 * index));
    bytes[index] = (high << 4) | ALPHABET.indexOf(text.charAt(2 * index + 1));
  }
  return bytes;
}
