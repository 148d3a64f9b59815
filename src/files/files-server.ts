import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { acceptFrom, type Acceptor, type Peer } from '../host/addon.ts';
import { BudgetedLog } from '../log/budgeted-log.ts';
import type { Log } from '../log/log.ts';
import { readFile, replaceFile, type FilePorts } from './file-requests.ts';
import { readRequestOf, replaceRequestOf } from './request-schemas.ts';
import type { Refusal } from './requests.ts';
import { Threads } from './threads.ts';

/** Twice 65536 bytes in base64, a path whose characters are all escaped, and some room. */
const MAX_BODY_BYTES = 224 * 1024;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_CONNECTIONS = 512;
/** How long a connection may last, in milliseconds: waiting for a thread, the thread's deadline, and some more. */
const CONNECTION_MS = 10_000;
const DESCRIPTOR_PAUSE_MS = 100;
const ROOT_UID = 0;

/** A request that is refused. */
class RefusedRequest extends Error {
  readonly status: number;
  readonly code: Refusal['error']['code'];
  constructor(status: number, code: Refusal['error']['code']) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

/** Serves files.sock to the daemon, and to nobody else but root. */
export class FilesServer {
  readonly #daemonUid: number;
  readonly #log: Log;
  readonly #ports: FilePorts;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  #acceptor: Acceptor | undefined;
  #emptied: (() => void) | undefined;

  /**
   * @param daemonUid - who may ask
   * @param log - for troubles; never for contents
   * @param monotonic - a clock in milliseconds that never jumps
   */
  constructor(daemonUid: number, log: Log, monotonic: () => number) {
    this.#daemonUid = daemonUid;
    this.#log = log;
    this.#ports = { threads: new Threads(reportsTo(log)), log: new BudgetedLog(log, monotonic) };
    // No time-outs here: Node checks them only in a server that listens itself.
    this.#http = createServer({ maxHeaderSize: MAX_HEADER_BYTES, keepAlive: false });
    this.#http.on('request', (request, response) => void this.#answer(request, response));
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

  #checkEmptied(): void {
    if (this.#sockets.size === 0) {
      this.#emptied?.();
    }
  }

  #accepted(fd: number, peer: Peer): void {
    const socket = new Socket({ fd });
    socket.on('error', () => socket.destroy());
    if (peer.uid !== this.#daemonUid && peer.uid !== ROOT_UID) {
      this.#ports.log.of(peer.uid).event('warning', 'Somebody else than the daemon connected', {
        uid: peer.uid,
        pid: peer.pid,
      });
      socket.destroy();
      return;
    }
    if (this.#sockets.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), CONNECTION_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
      this.#checkEmptied();
    });
    this.#http.emit('connection', socket);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await bodyOf(request);
      send(response, 200, await this.#route(request, body, () => !request.socket.destroyed));
    } catch (error) {
      const refused = error instanceof RefusedRequest ? error : new RefusedRequest(500, 'ERR_UNEXPECTED');
      // Whoever hung up in the middle of a request is not worth a line.
      if (error instanceof RefusedRequest || request.complete) {
        this.#log.event('error', 'A request failed', {
          code: refused.code,
          why: error instanceof RefusedRequest ? undefined : nameOf(error),
        });
      }
      send(response, refused.status, { error: { code: refused.code } } satisfies Refusal);
    }
  }

  #route(request: IncomingMessage, body: unknown, wanted: () => boolean): Promise<unknown> {
    switch (`${request.method ?? ''} ${request.url ?? ''}`) {
      case 'POST /v1/read':
        return readFile(this.#ports, valid(readRequestOf(body)), wanted);
      case 'POST /v1/replace':
        return replaceFile(this.#ports, valid(replaceRequestOf(body)), wanted);
      default:
        throw new RefusedRequest(404, 'ERR_NO_SUCH_REQUEST');
    }
  }
}

function reportsTo(log: Log): ConstructorParameters<typeof Threads>[0] {
  return {
    hung: (uid) =>
      log.event('warning', "A user's files do not answer: nobody waits for them any more", { uid }),
    returned: (uid) => log.event('notice', "A user's files answer again", { uid }),
    exhausted: () => log.event('alert', 'All threads wait for files that do not answer: nobody is served'),
  };
}

function valid<T>(request: T | undefined): T {
  if (request === undefined) {
    throw new RefusedRequest(400, 'ERR_BAD_REQUEST');
  }
  return request;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) {
      throw new RefusedRequest(413, 'ERR_BAD_REQUEST');
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks);
  try {
    return JSON.parse(body.toString());
  } catch {
    // The message of the error would have a part of the body.
    throw new RefusedRequest(400, 'ERR_BAD_REQUEST');
  } finally {
    body.fill(0);
    chunks.forEach((chunk) => chunk.fill(0));
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(`${JSON.stringify(body)}\n`);
}

function nameOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code ?? (error instanceof Error ? error.name : typeof error);
}
