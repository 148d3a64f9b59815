import type { IncomingMessage, ServerResponse } from 'node:http';
import { AcceptedHttp, BodyError, jsonBody, sendJson } from '../host/accepted-http.ts';
import type { Peer } from '../host/addon.ts';
import type { Log } from '../log/log.ts';
import { ControlError } from './control-error.ts';
import { addFactor, dropFactor, showUser, showUsers, type FactorPorts } from './factor-requests.ts';
import { exportFile, importFile, MAX_IMPORT_BODY_BYTES, removeExported } from './import-requests.ts';
import { repairLedger, type RepairPorts } from './ledger-requests.ts';

/** A request's body is small: names and numbers. */
const MAX_BODY_BYTES = 16 * 1024;
/** Connections at one moment, in all and for one uid other than root. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_UID = 4;
/** How long a connection may last, in milliseconds: it is one request and its answer. */
const REQUEST_TIMEOUT_MS = 10_000;
const ROOT_UID = 0;

/** Serves control.sock: the kernel says who calls. */
export class ControlServer {
  readonly #ports: FactorPorts & RepairPorts;
  readonly #log: Log;
  readonly #http: AcceptedHttp;

  /** @param ports - what requests need */
  constructor(ports: FactorPorts & RepairPorts) {
    this.#ports = ports;
    this.#log = ports.log;
    this.#http = new AcceptedHttp({
      connectionMs: REQUEST_TIMEOUT_MS,
      admit,
      answer: (request, response, peer) => this.#answer(request, response, peer),
    });
  }

  /**
   * Accepts connections from a socket that somebody opened for us.
   *
   * @param fd - the listening socket
   */
  listen(fd: number): void {
    this.#http.listen(fd);
  }

  /** Accepts no more, and ends what is going on. */
  close(): void {
    void this.#http.close();
    this.#http.hangUp();
  }

  async #answer(request: IncomingMessage, response: ServerResponse, peer: Peer): Promise<void> {
    try {
      sendJson(response, 200, await this.#route(request, peer));
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
      sendJson(response, status, { error: { code, message } });
    }
  }

  async #route(request: IncomingMessage, peer: Peer): Promise<unknown> {
    if (peer.uid !== ROOT_UID) {
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
      if (request.method === 'POST' && user !== undefined && factors === 'import' && factor === undefined) {
        return importFile(this.#ports, user, await bodyOf(request, MAX_IMPORT_BODY_BYTES));
      }
      if (request.method === 'POST' && user !== undefined && factors === 'export') {
        if (factor === undefined) {
          return exportFile(this.#ports, user);
        }
        if (factor === 'remove') {
          return removeExported(this.#ports, user, await bodyOf(request, MAX_IMPORT_BODY_BYTES));
        }
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

/** Root always gets in, to put things right. */
function admit({ uid }: Peer, open: Iterable<Peer>): boolean {
  const peers = [...open];
  const own = peers.filter((peer) => peer.uid === uid).length;
  return uid === ROOT_UID || (own < MAX_CONNECTIONS_PER_UID && peers.length < MAX_CONNECTIONS);
}

async function bodyOf(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  try {
    return await jsonBody(request, maxBytes);
  } catch (error) {
    if (error instanceof BodyError) {
      throw error.code === 'ERR_TOO_LONG'
        ? new ControlError(413, 'ERR_BAD_REQUEST', `The request is longer than ${maxBytes} bytes`)
        : new ControlError(400, 'ERR_BAD_REQUEST', 'The request is not JSON');
    }
    throw error;
  }
}
