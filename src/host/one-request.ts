import type { Readable } from 'node:stream';
import { requestHead, type RequestHead } from './request-head.ts';

/** A request's body that cannot be used. */
export class BodyError extends Error {
  readonly code: 'ERR_TOO_LONG' | 'ERR_NOT_JSON';
  /** @param code - what is wrong with it */
  constructor(code: BodyError['code']) {
    super(code);
    this.name = 'BodyError';
    this.code = code;
  }
}

/** A body that is refused is read to its end all the same, up to so many bytes: else its sender would not hear why. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/** Reads one request from a connection. What comes after it cuts the connection, so nobody can have two begun on one. */
export class OneRequest {
  readonly #socket: Readable;
  readonly #maxBodyBytes: number;
  readonly #complete: (head: RequestHead) => void;
  #head: RequestHead | undefined;
  #begun: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #received = 0;
  #announced = false;

  /**
   * @param socket - the connection
   * @param maxBodyBytes - a longer body is not kept
   * @param complete - is called once, when the request is there, or is known to be too long
   */
  constructor(socket: Readable, maxBodyBytes: number, complete: (head: RequestHead) => void) {
    this.#socket = socket;
    this.#maxBodyBytes = maxBodyBytes;
    this.#complete = complete;
    socket.on('data', (chunk: Buffer) => this.#push(chunk));
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.#wipe());
  }

  /**
   * The body. Its bytes are wiped, also those of one that is refused.
   *
   * @param maxBytes - a longer body is refused
   * @returns what the JSON says
   * @throws BodyError when it is too long or not JSON
   */
  json(maxBytes: number): unknown {
    const length = this.#head?.bodyLength ?? 0;
    const body = Buffer.concat(this.#chunks);
    this.#wipe();
    try {
      if (length > Math.min(maxBytes, this.#maxBodyBytes)) {
        throw new BodyError('ERR_TOO_LONG');
      }
      return parsed(body);
    } finally {
      body.fill(0);
    }
  }

  #push(chunk: Buffer): void {
    const rest = this.#head === undefined ? this.#readHead(chunk) : chunk;
    if (this.#head === undefined || rest === undefined) {
      return;
    }
    const { bodyLength } = this.#head;
    this.#received += rest.length;
    if (this.#received > Math.min(bodyLength, MAX_DISCARDED_BYTES)) {
      rest.fill(0);
      this.#socket.destroy();
      return;
    }
    if (bodyLength > this.#maxBodyBytes) {
      rest.fill(0);
      this.#announce(this.#head);
      return;
    }
    this.#chunks.push(rest);
    if (this.#received === bodyLength) {
      this.#announce(this.#head);
    }
  }

  /** Returns what follows the head; undefined: that is not all there, or is none. */
  #readHead(chunk: Buffer): Buffer | undefined {
    const bytes = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk]);
    const head = requestHead(bytes);
    if (head === 'wrong') {
      bytes.fill(0);
      this.#socket.destroy();
      return undefined;
    }
    if (head === 'more') {
      this.#begun = bytes;
      return undefined;
    }
    this.#head = head;
    this.#begun = Buffer.alloc(0);
    return bytes.subarray(head.headLength);
  }

  #announce(head: RequestHead): void {
    if (!this.#announced) {
      this.#announced = true;
      this.#complete(head);
    }
  }

  #wipe(): void {
    this.#chunks.forEach((chunk) => chunk.fill(0));
    this.#chunks = [];
    this.#begun.fill(0);
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // The message of the error would have a part of the body.
    throw new BodyError('ERR_NOT_JSON');
  }
}
