import { WireError } from './wire-error.ts';

/** Collects the fields of a payload. */
export class PayloadWriter {
  readonly #parts: Buffer[] = [];

  /** @param value - 0..255 */
  u8(value: number): this {
    const bytes = Buffer.alloc(1);
    bytes.writeUInt8(value);
    this.#parts.push(bytes);
    return this;
  }

  /** @param value - 0..4294967295, written big-endian */
  u32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    this.#parts.push(bytes);
    return this;
  }

  /**
   * Writes a `str`: two bytes of length, then the bytes.
   *
   * @param bytes - what to write
   * @param max - the most bytes that this field may have
   * @throws WireError ERR_FIELD when it is too long or has a NUL
   */
  str(bytes: Uint8Array, max: number): this {
    if (bytes.length > max) {
      throw new WireError(
        'ERR_FIELD',
        `A text of ${bytes.length} bytes is to be sent, at most ${max} are allowed`,
      );
    }
    if (bytes.includes(0)) {
      throw new WireError('ERR_FIELD', 'A text with a NUL byte is to be sent');
    }
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    this.#parts.push(length, Buffer.from(bytes));
    return this;
  }

  /** @returns the payload */
  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}
