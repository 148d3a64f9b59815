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
    return this.#bytes.readUInt8(this.#skip(1));
  }

  /** @returns the next two bytes, big-endian */
  u16(): number {
    return this.#bytes.readUInt16BE(this.#skip(2));
  }

  /** @returns the next four bytes, big-endian */
  u32(): number {
    return this.#bytes.readUInt32BE(this.#skip(4));
  }

  /**
   * Reads a `str` that is a secret: a length of two bytes and as many bytes, none of them NUL.
   *
   * @param max - the most bytes that this field may have
   * @returns a copy of the bytes in memory of its own, so that the payload can be wiped, and the copy, too
   * @throws WireError ERR_FIELD when it is longer than `max` or has a NUL
   */
  secret(max: number): Buffer {
    const text = this.#str(max);
    const copy = Buffer.alloc(text.length);
    text.copy(copy);
    return copy;
  }

  /**
   * Reads a `str` that is no secret.
   *
   * @param max - the most bytes that this field may have
   * @returns a copy of the bytes
   * @throws WireError ERR_FIELD when it is longer than `max` or has a NUL
   */
  str(max: number): Buffer {
    return Buffer.from(this.#str(max));
  }

  #str(max: number): Buffer {
    const length = this.u16();
    if (length > max) {
      throw new WireError('ERR_FIELD', `A text of ${length} bytes came, at most ${max} are allowed`);
    }
    const start = this.#skip(length);
    const bytes = this.#bytes.subarray(start, start + length);
    if (bytes.includes(0)) {
      throw new WireError('ERR_FIELD', 'A text with a NUL byte came');
    }
    return bytes;
  }

  /** @throws WireError ERR_PAYLOAD_LEFT_OVER unless every byte was read */
  end(): void {
    if (this.remaining !== 0) {
      throw new WireError('ERR_PAYLOAD_LEFT_OVER', `${this.remaining} bytes are left over in the payload`);
    }
  }

  /** @returns where the next `count` bytes begin */
  #skip(count: number): number {
    if (this.remaining < count) {
      throw new WireError(
        'ERR_PAYLOAD_SHORT',
        `${count} bytes expected, ${this.remaining} are left in the payload`,
      );
    }
    const start = this.#position;
    this.#position += count;
    return start;
  }
}
