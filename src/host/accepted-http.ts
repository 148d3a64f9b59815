import { Socket } from 'node:net';
import { acceptWithin, sayAndClose } from './accept-within.ts';
import type { Acceptor, Peer } from './addon.ts';
import { OneRequest } from './one-request.ts';
import { sendReply, type Reply } from './send-reply.ts';
import type { UidRate } from './uid-rate.ts';

/** One request, all of it received. */
export interface AcceptedRequest {
  readonly method: string;
  /** As it was sent: a path in percent-encoding. */
  readonly target: string;
  /** Who asks, as the kernel says it. */
  readonly peer: Peer;
  /** @returns whether somebody still waits for the answer */
  wanted(): boolean;
  /**
   * Reads the body, once: its bytes are wiped by that.
   *
   * @param maxBytes - a longer body is refused
   * @returns what the JSON says
   * @throws BodyError when it is too long or not JSON
   */
  json(maxBytes: number): unknown;
}

/** What a server of HTTP on a Unix socket lets in. */
export interface HttpTerms {
  /** How long a request may take to come, and its answer to be made, in milliseconds; of a list each part. */
  readonly connectionMs: number;
  /** How often uids other than root's may come; left out: as often as they want. */
  readonly rate?: UidRate;
  /** No body that is read is longer. */
  readonly maxBodyBytes: number;
  /**
   * Why a connection gets no place: that is all it hears, and nothing of it is read.
   *
   * @param peer - who called, as the kernel says it
   * @param busy - whose connections are open, or whose answers are still being made
   * @returns what it hears, of {@link turnAway}; undefined: it gets a place
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
 * What a connection hears that gets no place.
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

/** Whoever is turned away with this may come again. */
export const BUSY = turnAway(503, 'ERR_BUSY', 'The daemon has too much to do: try again later');

/** HTTP/1.1 on a Unix socket that somebody else may have opened: each connection comes with who is calling, and is one request. */
export class AcceptedHttp {
  readonly #terms: HttpTerms;
  /** A place is free again when the connection is closed and the answer is made: who hangs up does not get another one for that. */
  readonly #busy = new Map<Socket, Peer>();
  readonly #open = new Set<Socket>();
  readonly #answering = new Set<Socket>();
  #acceptor: Acceptor | undefined;
  #emptied: (() => void) | undefined;

  /** @param terms - who gets in, and what answers */
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

  /** Ends what is going on, as soon as what was written has left. */
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
      // A list that breaks off has no end, and shows that by it.
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
