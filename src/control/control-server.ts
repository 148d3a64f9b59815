import type { IncomingMessage, ServerResponse } from 'node:http';
import { AcceptedHttp, BodyError, jsonBody, sendJson } from '../host/accepted-http.ts';
import type { Peer } from '../host/addon.ts';
import { BudgetedLog } from '../log/budgeted-log.ts';
import type { Log } from '../log/log.ts';
import { ControlError } from './control-error.ts';
import { accountFor, assertRoot, isRoot, ownAccount } from './callers.ts';
import { changeFactors, unlockUser, type FactorPorts } from './factor-requests.ts';
import { forgetPlaces } from './home-requests.ts';
import { exportFile, importFile, MAX_IMPORT_BODY_BYTES, removeExported } from './import-requests.ts';
import { showLogins, type LoginPorts } from './login-requests.ts';
import { repairLedger, type RepairPorts } from './ledger-requests.ts';
import { showHealth, type HealthPorts } from './health-requests.ts';
import { testRules, type RulePorts } from './rule-requests.ts';
import type { About } from './requests.ts';
import { showFactor } from './show-factor.ts';
import { checkYubico, showYubico, type YubicoPorts } from './yubico-requests.ts';
import { showUser, showUsers } from './views.ts';

/** A request's body is small: names and numbers. */
const MAX_BODY_BYTES = 16 * 1024;
/** Connections at one moment, in all and for one uid other than root. */
const MAX_CONNECTIONS = 64;
const MAX_CONNECTIONS_PER_UID = 4;
/** How long a connection may last, in milliseconds: it is one request and its answer, and may wait for a validation server. */
const REQUEST_TIMEOUT_MS = 15_000;

/** What requests need. */
export type ControlPorts = FactorPorts &
  RepairPorts &
  RulePorts &
  YubicoPorts &
  LoginPorts &
  HealthPorts &
  About;

/** Serves control.sock: the kernel says who calls. */
export class ControlServer {
  readonly #ports: ControlPorts;
  readonly #budgeted: BudgetedLog;
  readonly #http: AcceptedHttp;

  /** @param ports - what requests need */
  constructor(ports: ControlPorts) {
    this.#ports = ports;
    this.#budgeted = new BudgetedLog(ports.log, ports.monotonic);
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
        this.#logOf(peer).event('error', 'A control request failed for an unexpected reason', {
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

  /** What users cause, they cannot fill the log with. */
  #logOf(caller: Peer): Log {
    return isRoot(caller) ? this.#ports.log : this.#budgeted.of(caller.uid);
  }

  async #route(request: IncomingMessage, caller: Peer): Promise<unknown> {
    const ports = { ...this.#ports, log: this.#logOf(caller) };
    const [version, ...path] = pathOf(request);
    const known = version === 'v1' ? routeOf(request.method ?? '', path) : undefined;
    switch (known?.is) {
      case 'users':
        return isRoot(caller) ? showUsers(ports) : [await showUser(ports, await ownAccount(caller))];
      case 'user':
        return showUser(ports, await accountFor(caller, known.user));
      case 'changes':
        return changeFactors(ports, caller, known.user, await bodyOf(request));
      case 'show':
        return showFactor(ports, caller, known.user, known.factor, await bodyOf(request));
      case 'unlock':
        return unlockUser(ports, caller, known.user, await bodyOf(request));
      case 'import':
        return importFile(ports, caller, known.user, await bodyOf(request, MAX_IMPORT_BODY_BYTES));
      case 'export':
        assertRoot(caller);
        return exportFile(ports, known.user);
      case 'remove-exported':
        assertRoot(caller);
        return removeExported(ports, known.user, await bodyOf(request, MAX_IMPORT_BODY_BYTES));
      case 'forget':
        assertRoot(caller);
        return forgetPlaces(ports, known.user);
      case 'rules':
        assertRoot(caller);
        return testRules(ports, known.service, known.user, known.address);
      case 'about':
        return { version: ports.version } satisfies About;
      case 'logins':
        assertRoot(caller);
        return showLogins(ports);
      case 'yubico':
        assertRoot(caller);
        return showYubico(ports);
      case 'yubico-check':
        assertRoot(caller);
        return checkYubico(ports, await bodyOf(request));
      case 'health':
        assertRoot(caller);
        return showHealth(ports);
      case 'repair':
        assertRoot(caller);
        return repairLedger(ports);
      case undefined:
        throw new ControlError(
          404,
          'ERR_NO_SUCH_REQUEST',
          'This daemon does not know that request: is it of the same version?',
        );
    }
  }
}

const USER_ACTIONS = ['changes', 'unlock', 'import', 'export', 'forget'] as const;
type UserAction = (typeof USER_ACTIONS)[number];

type Route =
  | { readonly is: 'users' | 'repair' | 'yubico' | 'yubico-check' | 'about' | 'logins' | 'health' }
  | { readonly is: 'user' | UserAction | 'remove-exported'; readonly user: string }
  | { readonly is: 'show'; readonly user: string; readonly factor: string }
  | {
      readonly is: 'rules';
      readonly service: string;
      readonly user: string;
      readonly address: string | undefined;
    };

function routeOf(method: string, path: readonly string[]): Route | undefined {
  const [collection, user, part, factor, action] = path;
  if (collection === 'ledger') {
    return method === 'POST' && path.length === 2 && user === 'repair' ? { is: 'repair' } : undefined;
  }
  if (collection === 'rules') {
    return method === 'GET' && (path.length === 3 || path.length === 4)
      ? { is: 'rules', service: user ?? '', user: part ?? '', address: factor }
      : undefined;
  }
  if (collection === 'yubico') {
    return yubicoRouteOf(`${method} ${path.slice(1).join('/')}`);
  }
  if (collection === 'about' || collection === 'logins' || collection === 'health') {
    return method === 'GET' && path.length === 1 ? { is: collection } : undefined;
  }
  if (collection !== 'users') {
    return undefined;
  }
  switch (`${method} ${path.length}`) {
    case 'GET 1':
      return { is: 'users' };
    case 'GET 2':
      return { is: 'user', user: user ?? '' };
    case 'POST 3':
      return isUserAction(part) ? { is: part, user: user ?? '' } : undefined;
    case 'POST 4':
      return part === 'export' && factor === 'remove'
        ? { is: 'remove-exported', user: user ?? '' }
        : undefined;
    case 'POST 5':
      return part === 'factors' && action === 'show'
        ? { is: 'show', user: user ?? '', factor: factor ?? '' }
        : undefined;
    default:
      return undefined;
  }
}

function yubicoRouteOf(request: string): Route | undefined {
  return request === 'GET '
    ? { is: 'yubico' }
    : request === 'POST check'
      ? { is: 'yubico-check' }
      : undefined;
}

function isUserAction(part: string | undefined): part is UserAction {
  return (USER_ACTIONS as readonly (string | undefined)[]).includes(part);
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
  return isRoot({ uid }) || (own < MAX_CONNECTIONS_PER_UID && peers.length < MAX_CONNECTIONS);
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
