import { closeSync } from 'node:fs';
import { acceptWithin } from '../host/accept-within.ts';
import type { Acceptor, Peer } from '../host/addon.ts';
import { nameService, NameServiceError } from '../host/name-service.ts';
import { UidRate } from '../host/uid-rate.ts';
import { BudgetedLog } from '../log/budgeted-log.ts';
import type { Log } from '../log/log.ts';
import { conductLogin, type LoginPorts } from '../login/conduct.ts';
import { ConversationEnded } from '../login/conversation.ts';
import type { LoginRequest } from '../login/login-request.ts';
import { utf8Of } from '../login/utf8.ts';
import { encodeFrame, FRAME_TYPE } from '../wire/frame.ts';
import type { Start } from '../wire/start.ts';
import { encodeVerdict } from '../wire/verdict.ts';
import { PROBE_VERSION, PROTOCOL_VERSION } from '../wire/limits.ts';
import { WireError } from '../wire/wire-error.ts';
import { Deadlines } from './deadlines.ts';
import { DRAIN_MS, LINGER_MS, LIVELY_MS, USER_LOGINS_AT_ONCE, USER_LOGINS_PER_SECOND } from './limits.ts';
import { ModuleConnection } from './module-connection.ts';
import { Places, type Origin } from './places.ts';

/** A socket that the module connects to. */
export interface LoginSocket {
  readonly fd: number;
  /** `root`: only root can connect. `user`: everybody can, and is served for their own account only. */
  readonly kind: Origin['socket'];
}

/** To a module that comes too often. */
const REFUSAL = encodeFrame(FRAME_TYPE.verdict, encodeVerdict({ code: 'unavailable', failDelayUs: 0 }));
/** Logins that are given up end at once; this is for a commit that is under way. */
const GIVE_UP_MS = 1_000;
const POLL_MS = 20;

/** Serves logins: one connection is one login. */
export class LoginServer {
  readonly #ports: LoginPorts;
  readonly #userLogs: BudgetedLog;
  readonly #places = new Places();
  readonly #deadlines: Deadlines<ModuleConnection>;
  readonly #acceptors: Acceptor[] = [];
  readonly #userRate: UidRate;

  /** @param ports - what logins need */
  constructor(ports: LoginPorts) {
    this.#ports = ports;
    this.#userLogs = new BudgetedLog(ports.log, ports.monotonic);
    this.#deadlines = new Deadlines(ports.monotonic);
    this.#userRate = new UidRate(ports.monotonic, USER_LOGINS_AT_ONCE, USER_LOGINS_PER_SECOND);
  }

  /** @returns how many logins are in flight */
  get logins(): number {
    return this.#places.taken;
  }

  /** @returns whether several logins go on at this moment; those that wait for a person, or for a home that hangs, do not count */
  get crowded(): boolean {
    return this.#places.heardSince(this.#ports.monotonic() - LIVELY_MS) > 1;
  }

  /**
   * Accepts connections from a socket that somebody opened for us.
   *
   * @param socket - the socket
   */
  listen(socket: LoginSocket): void {
    const originOf = ({ uid }: Peer): Origin =>
      socket.kind === 'root' ? { socket: 'root' } : { socket: 'user', uid };
    const acceptor = acceptWithin(socket.fd, {
      rate: socket.kind === 'user' ? this.#userRate : undefined,
      refusal: REFUSAL,
      accepted: (fd, peer) => this.#accepted(fd, originOf(peer), peer),
      turnedAway: ({ uid }) =>
        this.#userLogs.of(uid).event('warning', 'A login is refused: too many in a row', { uid }),
      failed: (code) => this.#ports.log.event('error', `Cannot accept a connection: ${code}`),
    });
    this.#acceptors.push(acceptor);
  }

  /**
   * Ends in an orderly way, in 16 seconds at most: new logins are left to the next daemon while those in flight end. While a person
   * takes their time it serves on for a while. Who is still at the prompt then is told that codes cannot be checked.
   */
  async close(): Promise<void> {
    if (!(await this.#drained())) {
      this.#acceptors.forEach((acceptor) => acceptor.resume());
      await this.#emptyWithin(LINGER_MS);
      await this.#drained();
    }
    this.#acceptors.forEach((acceptor) => acceptor.close());
    this.#places.all().forEach((login) => login.giveUp('the daemon is stopping'));
    await this.#emptyWithin(GIVE_UP_MS);
  }

  #drained(): Promise<boolean> {
    this.#acceptors.forEach((acceptor) => acceptor.pause());
    return this.#emptyWithin(DRAIN_MS);
  }

  async #emptyWithin(milliseconds: number): Promise<boolean> {
    const deadline = performance.now() + milliseconds;
    while (this.#places.taken > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return this.#places.taken === 0;
  }

  #accepted(fd: number, origin: Origin, peer: Peer): void {
    const connection = this.#opened(fd);
    if (connection === undefined) {
      return;
    }
    const log = origin.socket === 'root' ? this.#ports.log : this.#userLogs.of(peer.uid);
    if (!this.#places.take(connection, origin)) {
      log.event('warning', 'A login is refused: too many at once', {
        socket: origin.socket,
        uid: peer.uid,
      });
      connection.giveUp('too many logins at once');
      return;
    }
    void this.#serve(connection, origin, log).finally(() => {
      connection.destroy();
      this.#places.leave(connection);
    });
  }

  #opened(fd: number): ModuleConnection | undefined {
    try {
      return new ModuleConnection(fd, this.#ports.monotonic, this.#deadlines);
    } catch (error) {
      closeSync(fd);
      this.#ports.log.event('error', `Cannot serve a connection: ${nameOf(error)}`);
      return undefined;
    }
  }

  /** The one place where errors of a login end: whatever is wrong, the module is told that nobody gets in. */
  async #serve(connection: ModuleConnection, origin: Origin, log: Log): Promise<void> {
    try {
      await this.#login(connection, origin, log);
    } catch (error) {
      if (error instanceof WireError) {
        log.event('error', `The module broke the protocol: ${error.message}`, { code: error.code });
      } else if (error instanceof NameServiceError) {
        log.event('error', 'The user of a program cannot be looked up', { why: error.message });
        connection.giveUp(error.message);
      } else if (!(error instanceof ConversationEnded)) {
        log.event('error', 'A login failed for an unexpected reason', { error: nameOf(error) });
        connection.giveUp('unexpected error');
      }
    }
  }

  async #login(connection: ModuleConnection, origin: Origin, log: Log): Promise<void> {
    const start = await connection.start();
    if ('foreignVersion' in start) {
      if (start.foreignVersion !== PROBE_VERSION) {
        log.event(
          'error',
          `A module of protocol version ${start.foreignVersion} came, this daemon speaks ${PROTOCOL_VERSION}`,
        );
      }
      connection.giveUp('the module speaks another version');
      return;
    }
    if (start.rhost !== undefined && start.rhost.length > 0 && !this.#places.markRemote(connection)) {
      connection.giveUp('too many remote logins at once');
      return;
    }
    const request = await requestOf(start, origin);
    await conductLogin(request, connection, { ...this.#ports, log });
  }
}

async function requestOf(start: Start, origin: Origin): Promise<LoginRequest> {
  const account = accountOf(start);
  const context = {
    service: start.service,
    user: start.user,
    tty: start.tty,
    rhost: start.rhost,
    ruser: start.ruser,
  };
  if (origin.socket === 'root') {
    const { moduleArguments, gid } = start;
    return { context, moduleArguments, account, gid, home: utf8Of(start.home), trustedHost: true };
  }
  // What an ordinary program says about itself is not believed: the kernel says who it is.
  const own = account === undefined ? undefined : await nameService.userNamed(account.name, origin);
  return {
    context: { ...context, rhost: undefined },
    moduleArguments: start.moduleArguments,
    ...(own?.uid === origin.uid
      ? { account: { name: own.name, uid: own.uid }, gid: own.gid, home: own.home }
      : { account: undefined }),
    trustedHost: false,
  };
}

/** Only the canonical name with its uid names a user; a name that is not UTF-8 names nobody that could be enrolled. */
function accountOf({ canonicalUser, uid }: Start): LoginRequest['account'] {
  const name = utf8Of(canonicalUser);
  return name === undefined || name === '' || uid === undefined ? undefined : { name, uid };
}

/** Messages of unexpected errors are not logged: nobody knows what they quote. */
function nameOf(error: unknown): string {
  return error instanceof Error ? ('code' in error ? String(error.code) : error.name) : typeof error;
}
