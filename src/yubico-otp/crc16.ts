/** The residue of the CRC over a block that ends with its own CRC: ISO 13239. */
export const CRC_RESIDUE = 0xf0b8;

const POLYNOMIAL = 0x8408;
const INITIAL = 0xffff;
const BITS_PER_BYTE = 8;

/**
 * The CRC-16 of ISO 13239, as the YubiKey computes it: bits reversed, not inverted at the end.
 *
 * @param bytes - any bytes
 * @returns 16 bits
 */
export function crc16(bytes: Uint8Array): number {
  let crc = INITIAL;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < BITS_PER_BYTE; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    }
  }
  return crc;
}
