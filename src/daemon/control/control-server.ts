import { AcceptedHttp, BUSY, type AcceptedRequest } from '../../host/accepted-http.ts';
import type { Peer } from '../../host/addon.ts';
import type { Reply } from '../../host/send-reply.ts';
import { UidRate } from '../../host/uid-rate.ts';
import { BudgetedLog } from '../../log/budgeted-log.ts';
import type { Log } from '../../log/log.ts';
import { answerTo, type ControlPorts } from './answer-to.ts';
import { ControlError } from './control-error.ts';
import { isRoot } from './callers.ts';
import { MAX_IMPORT_BODY_BYTES } from './import-requests.ts';

/** The most connections and answers at one moment: in all, and for one uid other than root. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_UID = 4;
/** The most requests of one uid other than root: at once, and per second after that. */
const REQUESTS_AT_ONCE = 100;
const REQUESTS_PER_SECOND = 20;
/** The longest time for a request and its answer, in milliseconds. A request may wait for a validation server. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Serves control.sock. The kernel says who calls. */
export class ControlServer {
  readonly #ports: ControlPorts;
  readonly #budgeted: BudgetedLog;
  readonly #http: AcceptedHttp;

  /** @param ports - what requests need */
  constructor(ports: ControlPorts) {
    this.#ports = ports;
    this.#budgeted = new BudgetedLog(ports.log, ports.monotonic);
    this.#http = new AcceptedHttp({
      rate: new UidRate(ports.monotonic, REQUESTS_AT_ONCE, REQUESTS_PER_SECOND),
      connectionMs: REQUEST_TIMEOUT_MS,
      maxBodyBytes: MAX_IMPORT_BODY_BYTES,
      turnedAway,
      answer: (request) => this.#answer(request),
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

  /** Accepts no more connections, and ends the open ones. */
  close(): void {
    void this.#http.close();
    this.#http.hangUp();
  }

  async #answer(request: AcceptedRequest): Promise<Reply> {
    const log = this.#logOf(request.peer);
    try {
      return await answerTo({ ...this.#ports, log }, request.peer, request);
    } catch (error) {
      if (!(error instanceof ControlError)) {
        log.event('error', 'A control request failed for an unexpected reason', {
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
      return { status, body: { error: { code, message } } };
    }
  }

  /** Users cannot fill the log with the events that they cause. */
  #logOf(caller: Peer): Log {
    return isRoot(caller) ? this.#ports.log : this.#budgeted.of(caller.uid);
  }
}

/** Root is always served, to be able to repair things. */
function turnedAway({ uid }: Peer, busy: Iterable<Peer>): Buffer | undefined {
  const peers = [...busy];
  const own = peers.filter((peer) => peer.uid === uid).length;
  const hasRoom = own < MAX_CONNECTIONS_PER_UID && peers.length < MAX_CONNECTIONS;
  return isRoot({ uid }) || hasRoom ? undefined : BUSY;
}
