import { WireError } from './wire-error.ts';

/** Most payloads of the daemon fit. */
const FIRST_ROOM = 64;

/** Collects the fields of a payload. */
export class PayloadWriter {
  #buffer = Buffer.allocUnsafe(FIRST_ROOM);
  #end = 0;

  /** @param value - 0..255 */
  u8(value: number): this {
    const start = this.#take(1);
    this.#buffer.writeUInt8(value, start);
    return this;
  }

  /** @param value - 0..4294967295, written big-endian */
  u32(value: number): this {
    const start = this.#take(4);
    this.#buffer.writeUInt32BE(value, start);
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
      throw new WireError('ERR_FIELD', `Cannot send a text of ${bytes.length} bytes: the limit is ${max}`);
    }
    if (bytes.includes(0)) {
      throw new WireError('ERR_FIELD', 'Cannot send a text with a NUL byte');
    }
    const start = this.#take(2 + bytes.length);
    this.#buffer.writeUInt16BE(bytes.length, start);
    this.#buffer.set(bytes, start + 2);
    return this;
  }

  /** @returns the payload */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end);
  }

  /** @returns where the next `count` bytes go */
  #take(count: number): number {
    const start = this.#end;
    this.#end += count;
    if (this.#end > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * this.#end);
      this.#buffer.copy(larger, 0, 0, start);
      this.#buffer = larger;
    }
    return start;
  }
}
