import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { acceptFrom, type Acceptor, type Peer } from './addon.ts';

/** What a server of HTTP on a Unix socket lets in. */
export interface HttpTerms {
  /** How long a connection may last, in milliseconds: it is one request and its answer. */
  readonly connectionMs: number;
  /**
   * Whether a connection gets a place. One that gets none is closed at once.
   *
   * @param peer - who called, as the kernel says it
   * @param open - whose connections are open
   * @returns whether it does
   */
  admit(peer: Peer, open: Iterable<Peer>): boolean;
  /**
   * Answers a request. It never rejects.
   *
   * @param request - its body not yet read
   * @param response - to be ended
   * @param peer - who asks
   */
  answer(request: IncomingMessage, response: ServerResponse, peer: Peer): Promise<void>;
}

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

const MAX_HEADER_BYTES = 8 * 1024;
const DESCRIPTOR_PAUSE_MS = 100;

/** HTTP/1.1 on a Unix socket that somebody else may have opened: each connection comes with who is calling. */
export class AcceptedHttp {
  readonly #terms: HttpTerms;
  readonly #http: Server;
  readonly #peers = new Map<Socket, Peer>();
  #acceptor: Acceptor | undefined;
  #emptied: (() => void) | undefined;

  /** @param terms - who gets in, and what answers */
  constructor(terms: HttpTerms) {
    this.#terms = terms;
    // No time-outs here: Node checks them only in a server that listens itself.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAlive: false });
    this.#http.on('request', (request, response) => {
      const peer = this.#peers.get(request.socket);
      if (peer === undefined) {
        request.socket.destroy();
      } else {
        void this.#terms.answer(request, response, peer);
      }
    });
    this.#http.on('clientError', (_error, socket) => socket.destroy());
  }

  /**
   * Accepts connections from a socket.
   *
   * @param fd - the listening socket
   */
  listen(fd: number): void {
    const acceptor = acceptFrom(
      fd,
      (connection, peer) => this.#accepted(connection, peer),
      () => {
        acceptor.pause();
        setTimeout(() => acceptor.resume(), DESCRIPTOR_PAUSE_MS).unref();
      },
    );
    this.#acceptor = acceptor;
  }

  /** Accepts no more. @returns when all that was going on is answered, or has run out of its time */
  close(): Promise<void> {
    this.#acceptor?.close();
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#checkEmptied();
    });
  }

  /** Ends what is going on, as soon as what was written has left. */
  hangUp(): void {
    for (const socket of this.#peers.keys()) {
      socket.destroySoon();
    }
  }

  #accepted(fd: number, peer: Peer): void {
    const socket = new Socket({ fd });
    socket.on('error', () => socket.destroy());
    if (!this.#terms.admit(peer, this.#peers.values())) {
      socket.destroy();
      return;
    }
    this.#peers.set(socket, peer);
    const timer = setTimeout(() => socket.destroy(), this.#terms.connectionMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#peers.delete(socket);
      this.#checkEmptied();
    });
    this.#http.emit('connection', socket);
  }

  #checkEmptied(): void {
    if (this.#peers.size === 0) {
      this.#emptied?.();
    }
  }
}

/**
 * Reads a request's body. Its bytes are wiped afterwards, also those of one that is refused.
 *
 * @param request - the request: what comes of its body
 * @param maxBytes - a longer body is refused
 * @returns what the JSON says
 * @throws BodyError when it is too long or not JSON
 */
export async function jsonBody(request: AsyncIterable<Buffer>, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) {
        throw new BodyError('ERR_TOO_LONG');
      }
    }
    return parsed(Buffer.concat(chunks));
  } finally {
    chunks.forEach((chunk) => chunk.fill(0));
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    // The message of the error would have a part of the body.
    throw new BodyError('ERR_NOT_JSON');
  } finally {
    body.fill(0);
  }
}

/**
 * Answers with JSON; the connection ends after it.
 *
 * @param response - of the request
 * @param status - of HTTP
 * @param body - what to say
 */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}
