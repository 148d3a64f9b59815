import { getSystemErrorName } from 'node:util';
import { assertInteger, LARGEST_INT } from './arguments.ts';
import { loadAddon } from './load-addon.ts';

/** The numbers of native/addon/lines.h. */
const OPENED = 1;
const MESSAGE = 2;
const ENDED = 3;
const BAD_LENGTH = 4;
const OUT_OF_TURN = 5;
const NUMBERS_PER_REPORT = 5;
const SLOTS = 1024;

/** Identifies one connection, uniquely for the life of this process. */
export type LineName = number;

/**
 * How a line ended. `gone`: the module hung up. `bad-length`: a length field is out of bounds. `out-of-turn`: the module sent
 * more than the one expected frame.
 */
export type LineEnd = 'gone' | 'bad-length' | 'out-of-turn';

/** Receives the events of the lines. */
export interface LineListener {
  /**
   * A module has connected.
   *
   * @param line - its name
   * @param tag - of the socket, as {@link LoginLines.listen} got it
   * @param uid - of the process, as the kernel noted it
   */
  opened(line: LineName, tag: number, uid: number): void;
  /**
   * A whole frame has come.
   *
   * @param line - from whom
   * @param type - of the frame
   * @param payload - a view that is wiped when the batch is over: copy what you keep
   */
  message(line: LineName, type: number, payload: Buffer): void;
  /** The line is gone; its name is no longer valid. */
  ended(line: LineName, how: LineEnd): void;
  /**
   * No connection could be accepted. After EMFILE, ENFILE, ENOBUFS or ENOMEM pause and resume later: it comes back at once.
   *
   * @param tag - of the socket
   * @param code - of the error, such as EMFILE
   */
  notAccepted(tag: number, code: string): void;
  /** All events of this moment have been reported. */
  batchEnded(): void;
}

/** All connections of PAM modules. */
export interface LoginLines {
  /**
   * Accepts connections from a Unix socket that somebody, perhaps root, listens on already. (Node's `server.listen({ fd })` would call
   * listen() again, and the module would see our credentials in place of root's.)
   *
   * @param fd - the socket; it belongs to the lines from then on, unless this throws
   * @param tag - any number, for {@link LineListener.opened}
   * @throws Error with `code` and `syscall`
   */
  listen(fd: number, tag: number): void;
  /** From now on, new connections to the sockets with this tag wait in the kernel's queue. A second call does nothing. */
  pause(tag: number): void;
  /** Accepts connections again. A second call does nothing. */
  resume(tag: number): void;
  /**
   * Sends without waiting.
   *
   * @returns whether the line exists and the kernel took all bytes
   */
  send(line: LineName, bytes: Uint8Array): boolean;
  /** Hangs up; what was sent still arrives. An old name does nothing. */
  hangUp(line: LineName): void;
  /** Closes all lines and the sockets. */
  close(): void;
}

interface NativeLines {
  readonly arena: Uint8Array;
  readonly reports: Uint32Array;
  listen(fd: number, tag: number): void;
  pause(tag: number): void;
  resume(tag: number): void;
  send(slot: number, generation: number, bytes: Uint8Array): boolean;
  hangUp(slot: number, generation: number): void;
  close(): void;
}

interface Addon {
  openLoginLines(onBatch: (count: number) => void): NativeLines;
}

/**
 * Opens the lines to PAM modules. One call into JavaScript reports all events of one moment.
 *
 * @param listener - gets the events; what it throws becomes an uncaught exception
 * @returns the lines
 * @throws Error with `code` and `syscall`
 */
export function openLoginLines(listener: LineListener): LoginLines {
  const native = (loadAddon() as Addon).openLoginLines((count) => tell(native, count, listener));
  return {
    listen(fd, tag) {
      assertInteger('fd', fd, 0, LARGEST_INT);
      assertInteger('tag', tag, 0, LARGEST_INT);
      native.listen(fd, tag);
    },
    pause: (tag) => native.pause(tag),
    resume: (tag) => native.resume(tag),
    send: (line, bytes) => native.send(line % SLOTS, Math.floor(line / SLOTS), bytes),
    hangUp: (line) => native.hangUp(line % SLOTS, Math.floor(line / SLOTS)),
    close: () => native.close(),
  };
}

function tell({ arena, reports }: NativeLines, count: number, listener: LineListener): void {
  for (let at = 0; at < count * NUMBERS_PER_REPORT; at += NUMBERS_PER_REPORT) {
    const line = (reports[at + 2] ?? 0) * SLOTS + (reports[at + 1] ?? 0);
    const first = reports[at + 3] ?? 0;
    const second = reports[at + 4] ?? 0;
    switch (reports[at] ?? 0) {
      case OPENED:
        listener.opened(line, first, second);
        break;
      case MESSAGE:
        listener.message(line, arena[first] ?? 0, payloadIn(arena, first + 1, second - 1));
        break;
      case ENDED:
        listener.ended(line, 'gone');
        break;
      case BAD_LENGTH:
        listener.ended(line, 'bad-length');
        break;
      case OUT_OF_TURN:
        listener.ended(line, 'out-of-turn');
        break;
      default:
        listener.notAccepted(second, getSystemErrorName(-first));
    }
  }
  listener.batchEnded();
}

function payloadIn(arena: Uint8Array, start: number, length: number): Buffer {
  return Buffer.from(arena.buffer, arena.byteOffset + start, length);
}
