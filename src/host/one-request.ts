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

/** A refused body is still read to its end, up to this many bytes; otherwise its sender would not get the answer. */
const MAX_DISCARDED_BYTES = 1024 * 1024;

/**
 * Reads one request from a connection. Further bytes close the connection, so nobody can start two requests on one connection.
 */
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
   * @param complete - called once, when the request is complete, or known to be too long
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
   * Reads the body and wipes its bytes, also those of a refused body.
   *
   * @param maxBytes - a longer body is refused
   * @returns the parsed JSON
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

  /** Returns the bytes after the head; undefined if the head is incomplete or invalid. */
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
    // The error's message would quote a part of the body.
    throw new BodyError('ERR_NOT_JSON');
  }
}
