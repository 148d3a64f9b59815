import { WireError } from './wire-error.ts';

/** Reads the fields of a payload in order. Every byte must be consumed: see {@link PayloadReader.end}. */
export class PayloadReader {
  readonly #bytes: Buffer;
  #position = 0;

  /** @param bytes - the payload; it is not copied */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @returns how many bytes are left */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  /** @returns the next byte */
  u8(): number {
    return this.#take(1).readUInt8(0);
  }

  /** @returns the next two bytes, big-endian */
  u16(): number {
    return this.#take(2).readUInt16BE(0);
  }

  /** @returns the next four bytes, big-endian */
  u32(): number {
    return this.#take(4).readUInt32BE(0);
  }

  /**
   * Reads a `str`: a length of two bytes and as many bytes, none of them NUL.
   *
   * @param max - the most bytes that this field may have
   * @returns a copy of the bytes, so that the payload can be wiped
   * @throws WireError ERR_FIELD when it is longer than `max` or has a NUL
   */
  str(max: number): Buffer {
    const length = this.u16();
    if (length > max) {
      throw new WireError('ERR_FIELD', `A text of ${length} bytes came, at most ${max} are allowed`);
    }
    const bytes = this.#take(length);
    if (bytes.includes(0)) {
      throw new WireError('ERR_FIELD', 'A text with a NUL byte came');
    }
    const copy = Buffer.alloc(length);
    bytes.copy(copy);
    return copy;
  }

  /** @throws WireError ERR_PAYLOAD_LEFT_OVER unless every byte was read */
  end(): void {
    if (this.remaining !== 0) {
      throw new WireError('ERR_PAYLOAD_LEFT_OVER', `${this.remaining} bytes are left over in the payload`);
    }
  }

  #take(count: number): Buffer {
    if (this.remaining < count) {
      throw new WireError(
        'ERR_PAYLOAD_SHORT',
        `${count} bytes expected, ${this.remaining} are left in the payload`,
      );
    }
    const bytes = this.#bytes.subarray(this.#position, this.#position + count);
    this.#position += count;
    return bytes;
  }
}
