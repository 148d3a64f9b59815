import { connect, type Socket } from 'node:net';
import { encodeFrame, FRAME_TYPE, FrameReader, type Frame } from '../../../src/daemon/wire/frame.ts';
import { encodeStart, type Start } from '../../../src/daemon/wire/start.ts';
import { decodeVerdict, type Verdict } from '../../../src/daemon/wire/verdict.ts';

/** A START as bytes. */
export function startFrame(fields: Partial<Start>): Buffer {
  const start = { silent: false, disallowNullAuthtok: false, moduleArguments: [], ...fields };
  return encodeFrame(FRAME_TYPE.start, encodeStart(start));
}

/** Speaks to the daemon in place of the module, byte by byte where needed. */
export class ModuleSocket {
  /** When the daemon closed the connection, in milliseconds of performance.now(). */
  closedAt: number | undefined;
  readonly #socket: Socket;
  readonly #frames: Frame[] = [];
  readonly #waiting: ((frame: Frame | undefined) => void)[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const reader = new FrameReader();
    socket.on('data', (chunk: Buffer) => {
      this.#frames.push(...reader.push(chunk));
      this.#deliver();
    });
    socket.on('close', () => {
      this.closedAt = performance.now();
      this.#deliver();
    });
    socket.on('error', () => undefined);
  }

  static connect(path: string): Promise<ModuleSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.on('connect', () => resolve(new ModuleSocket(socket)));
      socket.on('error', reject);
    });
  }

  send(bytes: Buffer): this {
    this.#socket.write(bytes);
    return this;
  }

  /** The next frame, undefined when the connection is closed. */
  next(): Promise<Frame | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#deliver();
    });
  }

  /** The next frame, which is a VERDICT. */
  async verdict(): Promise<Verdict['code'] | 'no verdict'> {
    const frame = await this.next();
    return frame?.type === FRAME_TYPE.verdict ? decodeVerdict(frame.payload).code : 'no verdict';
  }

  /** Whether a frame is there, or the connection is closed. */
  get stirred(): boolean {
    return this.#frames.length > 0 || this.closedAt !== undefined;
  }

  /** Hangs up, and waits until that is done. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closedAt === undefined) {
        this.#socket.on('close', () => resolve()).end();
        this.#socket.destroySoon();
      } else {
        resolve();
      }
    });
  }

  #deliver(): void {
    while (this.#waiting.length > 0 && this.stirred) {
      this.#waiting.shift()!(this.#frames.shift());
    }
  }
}
