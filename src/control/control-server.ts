import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { acceptFrom, type Acceptor, type Peer } from '../host/addon.ts';
import type { Log } from '../log/log.ts';
import { ControlError } from './control-error.ts';
import { addFactor, dropFactor, showUser, showUsers, type FactorPorts } from './factor-requests.ts';
import { repairLedger, type RepairPorts } from './ledger-requests.ts';

/** A request's body is small: names and numbers. */
const MAX_BODY_BYTES = 16 * 1024;
const MAX_HEADER_BYTES = 8 * 1024;
/** Connections at one moment, in all and for one uid other than root. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_UID = 4;
/** How long a connection may last, in milliseconds: it is one request and its answer. */
const REQUEST_TIMEOUT_MS = 10_000;
const ROOT_UID = 0;
const DESCRIPTOR_PAUSE_MS = 100;

/** Serves control.sock: the kernel says who calls. */
export class ControlServer {
  readonly #ports: FactorPorts & RepairPorts;
  readonly #log: Log;
  readonly #http: Server;
  readonly #peers = new Map<Socket, Peer>();
  #acceptor: Acceptor | undefined;

  /** @param ports - what requests need */
  constructor(ports: FactorPorts & RepairPorts) {
    this.#ports = ports;
    this.#log = ports.log;
    // No time-outs here: Node checks them only in a server that listens itself.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAlive: false });
    this.#http.on('request', (request, response) => void this.#answer(request, response));
    this.#http.on('clientError', (_error, socket) => socket.destroy());
  }

  /**
   * Accepts connections from a socket that somebody opened for us.
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

  /** Accepts no more, and ends what is going on. */
  close(): void {
    this.#acceptor?.close();
    for (const socket of this.#peers.keys()) {
      socket.destroySoon();
    }
  }

  #accepted(fd: number, peer: Peer): void {
    const socket = new Socket({ fd });
    socket.on('error', () => socket.destroy());
    const own = [...this.#peers.values()].filter(({ uid }) => uid === peer.uid).length;
    if (peer.uid !== ROOT_UID && (own >= MAX_CONNECTIONS_PER_UID || this.#peers.size >= MAX_CONNECTIONS)) {
      socket.destroy();
      return;
    }
    this.#peers.set(socket, peer);
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#peers.delete(socket);
    });
    this.#http.emit('connection', socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      send(response, 200, await this.#route(request));
    } catch (error) {
      if (!(error instanceof ControlError)) {
        this.#log.event('error', 'A control request failed for an unexpected reason', {
          error: error instanceof Error ? error.name : typeof error,
        });
      }
      const { status, code, message } =
        error instanceof ControlError
          ? error
          : new ControlError(
              500,
              'ERR_UNEXPECTED',
              'Something unexpected went wrong: see the log of the daemon',
            );
      send(response, status, { error: { code, message } });
    }
  }

  async #route(request: IncomingMessage): Promise<unknown> {
    const peer = this.#peers.get(request.socket);
    if (peer?.uid !== ROOT_UID) {
      throw new ControlError(403, 'ERR_NOT_ROOT', 'Only root may do that: try again with sudo');
    }
    const [version, collection, user, factors, factor, ...more] = pathOf(request);
    if (version === 'v1' && collection === 'users' && more.length === 0) {
      if (request.method === 'GET' && user === undefined) {
        return showUsers(this.#ports);
      }
      if (request.method === 'GET' && user !== undefined && factors === undefined) {
        return showUser(this.#ports, user);
      }
      if (request.method === 'POST' && user !== undefined && factors === 'factors' && factor === undefined) {
        return addFactor(this.#ports, user, await bodyOf(request));
      }
      if (
        request.method === 'DELETE' &&
        user !== undefined &&
        factors === 'factors' &&
        factor !== undefined
      ) {
        return dropFactor(this.#ports, user, factor);
      }
    }
    if (request.method === 'POST' && request.url === '/v1/ledger/repair') {
      return repairLedger(this.#ports);
    }
    throw new ControlError(
      404,
      'ERR_NO_SUCH_REQUEST',
      'This daemon does not know that request: is it of the same version?',
    );
  }
}

function pathOf(request: IncomingMessage): string[] {
  try {
    return (request.url ?? '').slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new ControlError(400, 'ERR_BAD_REQUEST', 'The path of the request cannot be read');
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new ControlError(413, 'ERR_BAD_REQUEST', `The request is longer than ${MAX_BODY_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new ControlError(400, 'ERR_BAD_REQUEST', 'The request is not JSON');
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}
