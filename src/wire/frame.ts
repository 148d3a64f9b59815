import { FRAME_HEADER_BYTES, MAX_FRAME_LENGTH, MIN_FRAME_LENGTH } from './limits.ts';
import { WireError } from './wire-error.ts';

/** The types of frames: below 0x80 from the module, from 0x80 on from the daemon. */
export const FRAME_TYPE = {
  start: 0x01,
  answer: 0x02,
  cancel: 0x03,
  prompt: 0x81,
  notice: 0x82,
  verdict: 0x83,
} as const;

/** One frame: its type and its payload. */
export interface Frame {
  readonly type: number;
  readonly payload: Buffer;
}

/**
 * Puts a payload into a frame.
 *
 * @param type - one of {@link FRAME_TYPE}
 * @param payload - at most 16,382 bytes
 * @returns `u16 length · u8 type · payload`
 * @throws WireError ERR_FRAME_LENGTH when the payload is too long
 */
export function encodeFrame(type: number, payload: Buffer): Buffer {
  const length = payload.length + 1;
  if (length > MAX_FRAME_LENGTH) {
    throw new WireError(
      'ERR_FRAME_LENGTH',
      `A frame of ${length} bytes is to be sent, at most ${MAX_FRAME_LENGTH} fit`,
    );
  }
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + length);
  frame.writeUInt16BE(length, 0);
  frame.writeUInt8(type, FRAME_HEADER_BYTES);
  payload.copy(frame, FRAME_HEADER_BYTES + 1);
  return frame;
}

/**
 * Cuts a stream of bytes into frames. It holds at most one incomplete frame, and wipes what it has handed out, because an ANSWER
 * holds a code.
 */
export class FrameReader {
  readonly #pending = Buffer.alloc(FRAME_HEADER_BYTES + MAX_FRAME_LENGTH);
  #filled = 0;

  /**
   * Takes bytes as they arrive.
   *
   * @param chunk - any number of bytes; it is wiped, also when it is refused
   * @returns the frames that are complete now, in order
   * @throws WireError ERR_FRAME_LENGTH as soon as a length field is out of bounds
   */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = [];
    let offset = 0;
    try {
      while (offset < chunk.length) {
        offset += this.#fill(chunk, offset);
        const frame = this.#complete();
        if (frame !== undefined) {
          frames.push(frame);
        }
      }
      return frames;
    } finally {
      chunk.fill(0);
    }
  }

  /** @returns whether the stream ended in the middle of a frame */
  get incomplete(): boolean {
    return this.#filled > 0;
  }

  /** Forgets what has come so far. */
  wipe(): void {
    this.#pending.fill(0);
    this.#filled = 0;
  }

  #fill(chunk: Buffer, offset: number): number {
    const wanted =
      this.#filled < FRAME_HEADER_BYTES ? FRAME_HEADER_BYTES : FRAME_HEADER_BYTES + this.#length();
    const taken = chunk.copy(this.#pending, this.#filled, offset, offset + wanted - this.#filled);
    this.#filled += taken;
    return taken;
  }

  #length(): number {
    const length = this.#pending.readUInt16BE(0);
    if (length < MIN_FRAME_LENGTH || length > MAX_FRAME_LENGTH) {
      throw new WireError(
        'ERR_FRAME_LENGTH',
        `A frame of ${length} bytes came, 1 to ${MAX_FRAME_LENGTH} are allowed`,
      );
    }
    return length;
  }

  #complete(): Frame | undefined {
    if (this.#filled < FRAME_HEADER_BYTES) {
      return undefined;
    }
    const end = FRAME_HEADER_BYTES + this.#length();
    if (this.#filled < end) {
      return undefined;
    }
    const type = this.#pending.readUInt8(FRAME_HEADER_BYTES);
    const payload = Buffer.alloc(end - FRAME_HEADER_BYTES - 1);
    this.#pending.copy(payload, 0, FRAME_HEADER_BYTES + 1, end);
    this.#pending.fill(0, 0, end);
    this.#filled = 0;
    return { type, payload };
  }
}
