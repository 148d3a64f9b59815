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
      `Cannot send a frame of ${length} bytes: the limit is ${MAX_FRAME_LENGTH}`,
    );
  }
  const frame = Buffer.alloc(FRAME_HEADER_BYTES + length);
  frame.writeUInt16BE(length, 0);
  frame.writeUInt8(type, FRAME_HEADER_BYTES);
  payload.copy(frame, FRAME_HEADER_BYTES + 1);
  return frame;
}

const NOTHING = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into frames. It holds at most one incomplete frame, and wipes what it has handed out, because an ANSWER
 * holds a code.
 */
export class FrameReader {
  /** The beginning of a frame that is incomplete; most frames come whole, so that it stays empty. */
  #pending: Buffer = NOTHING;

  /**
   * Takes bytes as they arrive.
   *
   * @param chunk - any number of bytes; it is wiped, also when it is refused
   * @returns the frames that are complete now, in order
   * @throws WireError ERR_FRAME_LENGTH as soon as a length field is out of bounds
   */
  push(chunk: Buffer): Frame[] {
    const bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.wipe();
    const frames: Frame[] = [];
    let offset = 0;
    try {
      for (;;) {
        const end = frameEnd(bytes, offset);
        if (end === undefined || end > bytes.length) {
          break;
        }
        frames.push(frameIn(bytes, offset, end));
        offset = end;
      }
      this.#pending = offset === bytes.length ? NOTHING : Buffer.from(bytes.subarray(offset));
      return frames;
    } finally {
      chunk.fill(0);
      bytes.fill(0);
    }
  }

  /** @returns whether the stream ended in the middle of a frame */
  get incomplete(): boolean {
    return this.#pending.length > 0;
  }

  /** Forgets what has come so far. */
  wipe(): void {
    this.#pending.fill(0);
    this.#pending = NOTHING;
  }
}

/** Where the frame ends that begins at `offset`; undefined: its length has not come yet. */
function frameEnd(bytes: Buffer, offset: number): number | undefined {
  if (bytes.length - offset < FRAME_HEADER_BYTES) {
    return undefined;
  }
  const length = bytes.readUInt16BE(offset);
  if (length < MIN_FRAME_LENGTH || length > MAX_FRAME_LENGTH) {
    throw new WireError(
      'ERR_FRAME_LENGTH',
      `A frame of ${length} bytes came, 1 to ${MAX_FRAME_LENGTH} are allowed`,
    );
  }
  return offset + FRAME_HEADER_BYTES + length;
}

function frameIn(bytes: Buffer, offset: number, end: number): Frame {
  const type = bytes.readUInt8(offset + FRAME_HEADER_BYTES);
  // Memory of its own, not of Node's pool: an ANSWER holds a code.
  const payload = Buffer.alloc(end - offset - FRAME_HEADER_BYTES - 1);
  bytes.copy(payload, 0, offset + FRAME_HEADER_BYTES + 1, end);
  return { type, payload };
}
