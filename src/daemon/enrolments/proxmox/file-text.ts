import { isUtf8 } from 'node:buffer';

const FIRST_OF_SEVERAL = 0x80;
const LONGEST_CHARACTER = 4;
/** An invalid byte is represented by half of a surrogate pair, which no text in UTF-8 contains. */
const LONE_BYTE = 0xdc00;

/**
 * The text of a file. Bytes that are not UTF-8 stay distinct: each becomes half of a surrogate pair.
 *
 * @param bytes - the whole file
 * @returns the text; it begins with U+FEFF if the file does
 */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    return bytes.toString();
  }
  const parts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = characterAt(bytes, at);
    parts.push(
      length === 0
        ? String.fromCharCode(LONE_BYTE + bytes.readUInt8(at))
        : bytes.toString('utf8', at, at + length),
    );
    at += Math.max(length, 1);
  }
  return parts.join('');
}

/** The number of bytes of the character that begins there; 0 if none does. */
function characterAt(bytes: Buffer, at: number): number {
  if (bytes.readUInt8(at) < FIRST_OF_SEVERAL) {
    return 1;
  }
  for (let length = 2; length <= LONGEST_CHARACTER; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) {
      return length;
    }
  }
  return 0;
}
