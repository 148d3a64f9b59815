import { AcceptedHttp, turnAway, type AcceptedRequest } from '../host/accepted-http.ts';
import type { Peer } from '../host/addon.ts';
import { BodyError } from '../host/one-request.ts';
import type { Reply } from '../host/send-reply.ts';
import { BudgetedLog } from '../log/budgeted-log.ts';
import type { Log } from '../log/log.ts';
import { readFile, replaceFile, type FilePorts } from './file-requests.ts';
import { ProxmoxFiles, type ProxmoxDirectories } from './proxmox-files.ts';
import { proxmoxRequestOf, readRequestOf, replaceRequestOf } from './request-schemas.ts';
import type { Refusal } from '../contracts/file-requests.ts';
import { Threads, type ThreadReports } from '../host/threads.ts';

/** Twice 65536 bytes in base64, a path whose characters are all escaped, and some room. */
const MAX_BODY_BYTES = 224 * 1024;
const MAX_CONNECTIONS = 512;
/** The longest life of a connection, in milliseconds: the wait for a thread, the thread's deadline, and some margin. */
const CONNECTION_MS = 10_000;
const ROOT_UID = 0;
/** The answer to everybody else. */
const NOT_SERVED = turnAway(403, 'ERR_NOT_ALLOWED', 'Only pve-authenticatord is served here');
/** Then the daemon refuses the login, and asks again at the next one. */
const BUSY = turnAway(503, 'ERR_BUSY', 'The file reader has too much to do: try again later');

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

/** Serves files.sock to the daemon and root only. */
export class FilesServer {
  readonly #daemonUid: number;
  readonly #log: Log;
  readonly #ports: FilePorts;
  readonly #proxmox: ProxmoxFiles;
  readonly #http: AcceptedHttp;

  /**
   * @param daemonUid - who may ask
   * @param log - for problems; never gets contents
   * @param monotonic - a clock in milliseconds that never jumps
   * @param proxmox - where the files of Proxmox are
   */
  constructor(daemonUid: number, log: Log, monotonic: () => number, proxmox: ProxmoxDirectories) {
    this.#daemonUid = daemonUid;
    this.#log = log;
    this.#ports = { threads: new Threads(reportsTo(log)), log: new BudgetedLog(log, monotonic) };
    this.#proxmox = new ProxmoxFiles(new Threads(proxmoxReportsTo(log)), proxmox);
    this.#http = new AcceptedHttp({
      connectionMs: CONNECTION_MS,
      maxBodyBytes: MAX_BODY_BYTES,
      turnedAway: (peer, busy) => this.#turnedAway(peer, [...busy].length),
      answer: (request) => this.#answer(request),
    });
  }

  /**
   * Accepts connections from a socket.
   *
   * @param fd - the listening socket
   */
  listen(fd: number): void {
    this.#http.listen(fd);
  }

  /** Accepts no more. @returns when all running requests are answered, or have timed out */
  close(): Promise<void> {
    return this.#http.close();
  }

  #turnedAway({ uid, pid }: Peer, open: number): Buffer | undefined {
    if (uid !== this.#daemonUid && uid !== ROOT_UID) {
      this.#ports.log.of(uid).event('warning', 'Somebody other than the daemon connected', { uid, pid });
      return NOT_SERVED;
    }
    return open < MAX_CONNECTIONS ? undefined : BUSY;
  }

  async #answer(request: AcceptedRequest): Promise<Reply> {
    try {
      return { status: 200, body: await this.#route(request, bodyOf(request)) };
    } catch (error) {
      const refused = error instanceof RefusedRequest ? error : new RefusedRequest(500, 'ERR_UNEXPECTED');
      this.#log.event('error', 'A request failed', {
        code: refused.code,
        why: error instanceof RefusedRequest ? undefined : nameOf(error),
      });
      return { status: refused.status, body: { error: { code: refused.code } } satisfies Refusal };
    }
  }

  #route(request: AcceptedRequest, body: unknown): Promise<unknown> {
    const wanted = (): boolean => request.wanted();
    switch (`${request.method} ${request.target}`) {
      case 'POST /v1/read':
        return readFile(this.#ports, valid(readRequestOf(body)), wanted);
      case 'POST /v1/replace':
        return replaceFile(this.#ports, valid(replaceRequestOf(body)), wanted);
      case 'POST /v1/proxmox':
        return this.#proxmox.read(valid(proxmoxRequestOf(body)).product, wanted);
      default:
        throw new RefusedRequest(404, 'ERR_NO_SUCH_REQUEST');
    }
  }
}

function reportsTo(log: Log): ThreadReports {
  return {
    hung: (uid) =>
      log.event('warning', "A user's files do not answer: nobody waits for them any more", { uid }),
    returned: (uid) => log.event('notice', "A user's files answer again", { uid }),
    exhausted: () => log.event('alert', 'All threads wait for files that do not answer: nobody is served'),
  };
}

function proxmoxReportsTo(log: Log): ThreadReports {
  return {
    hung: () => log.event('warning', 'The files of Proxmox do not answer: nobody waits for them any more'),
    returned: () => log.event('notice', 'The files of Proxmox answer again'),
    exhausted: () => undefined,
  };
}

function valid<T>(request: T | undefined): T {
  if (request === undefined) {
    throw new RefusedRequest(400, 'ERR_BAD_REQUEST');
  }
  return request;
}

function bodyOf(request: AcceptedRequest): unknown {
  try {
    return request.json(MAX_BODY_BYTES);
  } catch (error) {
    throw error instanceof BodyError
      ? new RefusedRequest(error.code === 'ERR_TOO_LONG' ? 413 : 400, 'ERR_BAD_REQUEST')
      : error;
  }
}

function nameOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  return code ?? (error instanceof Error ? error.name : typeof error);
}
