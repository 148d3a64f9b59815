import { Door } from '../../host/door.ts';
import { openLoginLines, type LineName, type LoginLines } from '../../host/login-lines.ts';
import type { Claims } from '../ledger/ledger.ts';
import { UidRate } from '../../host/uid-rate.ts';
import { BudgetedLog } from '../../log/budgeted-log.ts';
import { conductLogin, type Conclusion, type LoginPorts } from '../login/conduct.ts';
import type { Steps } from '../login/steps.ts';
import { PROBE_VERSION, PROTOCOL_VERSION } from '../wire/limits.ts';
import type { ForeignStart, Start } from '../wire/start.ts';
import { Deadlines } from './deadlines.ts';
import { DRAIN_MS, LINGER_MS, USER_LOGINS_AT_ONCE, USER_LOGINS_PER_SECOND } from './limits.ts';
import { GIVEN_UP, OpenLogin, type LoginHouse } from './open-login.ts';
import { LoginSlots, type Origin } from './login-slots.ts';
import { requestOf } from './request-of.ts';
import { Turn } from './turn.ts';

/** A socket that the module connects to. */
export interface LoginSocket {
  readonly fd: number;
  /** `root`: only root can connect. `user`: everybody can connect, but only for their own account. */
  readonly kind: Origin['socket'];
}

/** The number of each socket in the native lines. */
const TAGS = { root: 0, user: 1 } as const;

/** How long to wait for a running commit. Logins that were given up end at once. */
const GIVE_UP_MS = 1_000;
const POLL_MS = 20;

/** Serves logins: one connection is one login. */
export class LoginServer {
  readonly #ports: LoginPorts;
  readonly #userLogs: BudgetedLog;
  readonly #slots = new LoginSlots();
  readonly #logins = new Map<LineName, OpenLogin>();
  readonly #lines: LoginLines;
  readonly #doors: Readonly<Record<Origin['socket'], Door>>;
  readonly #userRate: UidRate;
  readonly #house: LoginHouse;

  /** @param ports - what logins need */
  constructor(ports: LoginPorts & { readonly ledger: Claims }) {
    this.#ports = ports;
    this.#userLogs = new BudgetedLog(ports.log, ports.monotonic);
    this.#lines = openLoginLines({
      opened: (line, tag, uid) => {
        if (tag === TAGS.root) {
          this.#opened(line, { socket: 'root' });
        } else {
          this.#userOpened(line, uid);
        }
      },
      message: (line, type, payload) => this.#logins.get(line)?.hear(type, payload),
      ended: (line, how) => this.#logins.get(line)?.ended(how),
      notAccepted: (tag, code) => {
        ports.log.event('error', `Cannot accept a connection: ${code}`);
        this.#doors[tag === TAGS.root ? 'root' : 'user'].notAccepted();
      },
      batchEnded: () => this.#house.turn.end(),
    });
    this.#doors = { root: this.#doorOf(TAGS.root), user: this.#doorOf(TAGS.user) };
    this.#userRate = new UidRate(ports.monotonic, USER_LOGINS_AT_ONCE, USER_LOGINS_PER_SECOND);
    this.#house = {
      turn: new Turn(this.#lines, ports.ledger),
      deadlines: new Deadlines(ports.monotonic),
      monotonic: ports.monotonic,
      begin: (start, login) => this.#begin(start, login),
      cut: (line) => this.#lines.hangUp(line),
      left: (login) => this.#left(login),
    };
  }

  /** @returns how many logins are in flight */
  get logins(): number {
    return this.#slots.taken;
  }

  /**
   * Accepts connections from a socket that somebody opened for us.
   *
   * @param socket - the socket
   */
  listen({ fd, kind }: LoginSocket): void {
    this.#lines.listen(fd, TAGS[kind]);
  }

  /**
   * Stops within 16 seconds. New logins wait for the next daemon while those in flight end. If a person is slow, the daemon
   * serves new logins again for a while. Then everybody who is still at a prompt is told that codes cannot be checked.
   */
  async close(): Promise<void> {
    if (!(await this.#drained())) {
      this.#eachDoor((door) => door.resume());
      await this.#emptyWithin(LINGER_MS);
      await this.#drained();
    }
    this.#slots.all().forEach((login) => login.giveUp('the daemon is stopping'));
    this.#house.turn.end();
    await this.#emptyWithin(GIVE_UP_MS);
    this.#eachDoor((door) => door.close());
    this.#lines.close();
  }

  #eachDoor(act: (door: Door) => void): void {
    Object.values(this.#doors).forEach(act);
  }

  #doorOf(tag: number): Door {
    return new Door({ pause: () => this.#lines.pause(tag), resume: () => this.#lines.resume(tag) });
  }

  #drained(): Promise<boolean> {
    this.#eachDoor((door) => door.pause());
    return this.#emptyWithin(DRAIN_MS);
  }

  async #emptyWithin(milliseconds: number): Promise<boolean> {
    const deadline = process.uptime() + milliseconds / 1_000;
    while (this.#slots.taken > 0 && process.uptime() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return this.#slots.taken === 0;
  }

  /** Anybody can connect to this socket again and again, so turning a caller away costs only one write. */
  #userOpened(line: LineName, uid: number): void {
    if (uid === 0 || this.#userRate.spend(uid)) {
      this.#opened(line, { socket: 'user', uid });
      return;
    }
    this.#lines.send(line, GIVEN_UP);
    this.#lines.hangUp(line);
    this.#userLogs.of(uid).event('warning', 'A login is refused: too many in a row', { uid });
    this.#doors.user.turnedAway();
  }

  #opened(line: LineName, origin: Origin): void {
    const log = origin.socket === 'root' ? this.#ports.log : this.#userLogs.of(origin.uid);
    const login = new OpenLogin(line, origin, log, this.#house);
    this.#logins.set(line, login);
    if (!this.#slots.take(login, origin)) {
      log.event('warning', 'A login is refused: too many at once', {
        socket: origin.socket,
        uid: origin.socket === 'user' ? origin.uid : 0,
      });
      login.giveUp('too many logins at once');
    }
  }

  #begin(start: Start | ForeignStart, login: OpenLogin): Steps<Conclusion> | string {
    if ('foreignVersion' in start) {
      if (start.foreignVersion !== PROBE_VERSION) {
        login.log.event(
          'error',
          `A module speaks protocol version ${start.foreignVersion}, and this daemon ${PROTOCOL_VERSION}`,
        );
      }
      return 'the module speaks another version';
    }
    if (start.rhost !== undefined && start.rhost.length > 0 && !this.#slots.markRemote(login)) {
      return 'too many remote logins at once';
    }
    return this.#steps(start, login);
  }

  *#steps(start: Start, login: OpenLogin): Steps<Conclusion> {
    const request = yield* requestOf(start, login.origin);
    return yield* conductLogin(request, login, { ...this.#ports, log: login.log });
  }

  #left(login: OpenLogin): void {
    this.#slots.leave(login);
    this.#logins.delete(login.line);
  }
}
