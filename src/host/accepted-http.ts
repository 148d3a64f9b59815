import { Socket } from 'node:net';
import { acceptWithin, sayAndClose } from './accept-within.ts';
import type { Acceptor, Peer } from './addon.ts';
import { OneRequest } from './one-request.ts';
import { sendReply, type Reply } from './send-reply.ts';
import type { UidRate } from './uid-rate.ts';

/** One complete request. */
export interface AcceptedRequest {
  readonly method: string;
  /** As it was sent: a path in percent-encoding. */
  readonly target: string;
  /** Who asks, according to the kernel. */
  readonly peer: Peer;
  /** @returns whether somebody still waits for the answer */
  wanted(): boolean;
  /**
   * Reads the body, once: which wipes its bytes.
   *
   * @param maxBytes - a longer body is refused
   * @returns what the JSON says
   * @throws BodyError when it is too long or not JSON
   */
  json(maxBytes: number): unknown;
}

/** The limits and callbacks of an HTTP server on a Unix socket. */
export interface HttpTerms {
  /** The time limit for receiving a request, and for making its answer (of a list, each part), in milliseconds. */
  readonly connectionMs: number;
  /** How often uids other than root may connect; left out: without a limit. */
  readonly rate?: UidRate;
  /** The longest body. */
  readonly maxBodyBytes: number;
  /**
   * Rejects a connection that gets no place. It gets only this answer, and nothing of it is read.
   *
   * @param peer - who called, as the kernel says it
   * @param busy - the callers with open connections, or with unfinished answers
   * @returns the answer from {@link turnAway}; undefined if it gets a place
   */
  turnedAway(peer: Peer, busy: Iterable<Peer>): Buffer | undefined;
  /**
   * Answers a request. It never rejects.
   *
   * @param request - what is asked, by whom
   * @returns the answer
   */
  answer(request: AcceptedRequest): Promise<Reply>;
}

/**
 * The answer to a connection that gets no place.
 *
 * @param status - of HTTP
 * @param code - for programs
 * @param message - for people
 * @returns the whole answer
 */
export function turnAway(status: number, code: string, message: string): Buffer {
  const body = Buffer.from(`${JSON.stringify({ error: { code, message } })}\n`);
  const head = `HTTP/1.1 ${status} \r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** The answer that invites the caller to try again later. */
export const BUSY = turnAway(503, 'ERR_BUSY', 'The daemon has too much to do: try again later');

/** HTTP/1.1 on a Unix socket that somebody else may have opened: each connection has a known caller, and one request. */
export class AcceptedHttp {
  readonly #terms: HttpTerms;
  /** A place becomes free when the connection is closed and its answer is made, so hanging up early does not free it. */
  readonly #busy = new Map<Socket, Peer>();
  readonly #open = new Set<Socket>();
  readonly #answering = new Set<Socket>();
  #acceptor: Acceptor | undefined;
  #emptied: (() => void) | undefined;

  /** @param terms - the limits, and what answers */
  constructor(terms: HttpTerms) {
    this.#terms = terms;
  }

  /**
   * Accepts connections from a socket.
   *
   * @param fd - the listening socket
   */
  listen(fd: number): void {
    this.#acceptor = acceptWithin(fd, {
      rate: this.#terms.rate,
      refusal: BUSY,
      accepted: (connection, peer) => this.#accepted(connection, peer),
    });
  }

  /** Accepts no more. @returns when all that was going on is answered, or has run out of its time */
  close(): Promise<void> {
    this.#acceptor?.close();
    return new Promise((resolve) => {
      this.#emptied = resolve;
      this.#checkEmptied();
    });
  }

  /** Ends running connections as soon as their written bytes are sent. */
  hangUp(): void {
    for (const socket of this.#open) {
      socket.destroySoon();
    }
  }

  #accepted(fd: number, peer: Peer): void {
    const lastWord = this.#terms.turnedAway(peer, this.#busy.values());
    if (lastWord !== undefined) {
      sayAndClose(fd, lastWord);
      return;
    }
    const socket = new Socket({ fd });
    socket.on('error', () => socket.destroy());
    this.#busy.set(socket, peer);
    this.#open.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.#terms.connectionMs);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#open.delete(socket);
      this.#left(socket);
    });
    const request = new OneRequest(socket, this.#terms.maxBodyBytes, ({ method, target }) => {
      const wanted = (): boolean => !socket.destroyed;
      const json = (maxBytes: number): unknown => request.json(maxBytes);
      void this.#answer(socket, { method, target, peer, wanted, json }, () => timer.refresh());
    });
  }

  async #answer(socket: Socket, request: AcceptedRequest, goesOn: () => void): Promise<void> {
    this.#answering.add(socket);
    try {
      await sendReply(socket, await this.#terms.answer(request), goesOn);
    } catch {
      // An incomplete list lacks its end, so the client notices.
      socket.destroy();
    } finally {
      this.#answering.delete(socket);
      this.#left(socket);
    }
  }

  #left(socket: Socket): void {
    if (!this.#open.has(socket) && !this.#answering.has(socket)) {
      this.#busy.delete(socket);
      this.#checkEmptied();
    }
  }

  #checkEmptied(): void {
    if (this.#busy.size === 0) {
      this.#emptied?.();
    }
  }
}
