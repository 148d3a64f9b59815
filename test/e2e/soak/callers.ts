import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { House } from './house.ts';
import type { Login, Tally } from './tally.ts';
import type { Visitor } from './visitors.ts';

/** The least time between two logins of one user: all origins of a user together have ten tries in half a minute. */
const REST_MS = 3_500;
/** Each login comes from another origin, because one origin has three tries in half a minute. */
const ORIGINS = 9;
/** Between two logins of one caller. */
const THINK_MS = 60;
const NOBODY_FREE_MS = 20;
/** The share of wrong answers and of used codes, in per cent. */
const WRONG = 12;
const REUSED = 15;

/** A code that let somebody in. */
export interface Accepted {
  readonly visitor: Visitor;
  readonly typed: string;
  /** The time of the daemon's clock. */
  readonly at: number;
}

/** Hosts at which visitors log in, one after the other at each. */
export class Callers {
  readonly accepted: Accepted[] = [];
  readonly #house: House;
  readonly #tally: Tally;
  readonly #hosts: Host[];
  readonly #free: { visitor: Visitor; since: number; visits: number; used: string[] }[];
  #open = false;
  #working: Promise<unknown> = Promise.resolve();

  /**
   * @param house - where they log in
   * @param tally - which counts how that ends
   * @param client - the program that asks libpam: soak-client.c
   * @param count - how many hosts there are
   */
  constructor(house: House, tally: Tally, client: string, count: number) {
    this.#house = house;
    this.#tally = tally;
    const service = house.stage.service();
    this.#hosts = Array.from({ length: count }, () => new Host(house, client, service));
    this.#free = house.visitors
      .map((visitor) => ({ visitor, since: -Infinity, visits: 0, used: [] }))
      .sort(() => randomInt(3) - 1);
  }

  /** Lets them begin. */
  begin(): void {
    this.#open = true;
    this.#working = Promise.all(this.#hosts.map((host) => this.#work(host)));
  }

  /** Waits until all logins are over; no new ones begin. */
  async rest(): Promise<void> {
    this.#open = false;
    await this.#working;
  }

  /**
   * Types codes again that let somebody in, each at the time at which it did.
   *
   * @param accepted - the codes
   */
  async replay(accepted: readonly Accepted[]): Promise<void> {
    for (const { visitor, typed, at } of accepted) {
      this.#house.clock.moveTo(at - Date.now());
      this.#tally.add(this.#house, await this.#hosts[0]!.logIn(visitor, typed, '192.0.2.1'));
    }
    this.#house.clock.moveTo(0);
  }

  end(): void {
    this.#hosts.forEach((host) => host.end());
  }

  async #work(host: Host): Promise<void> {
    while (this.#open) {
      const index = this.#free.findIndex(({ since }) => performance.now() - since >= REST_MS);
      const [one] = index === -1 ? [] : this.#free.splice(index, 1);
      if (one === undefined) {
        await sleep(NOBODY_FREE_MS);
        continue;
      }
      const typed = this.#choose(one.visitor, one.used);
      const origin = `198.51.100.${one.visits++ % ORIGINS}`;
      const login = await host.logIn(one.visitor, typed, origin);
      if (this.#tally.add(this.#house, login) === 'in') {
        one.used.push(typed);
        const at = login.ended + this.#house.clock.now() - Date.now();
        this.accepted.push({ visitor: one.visitor, typed, at });
      }
      one.since = performance.now();
      this.#free.push(one);
      await sleep(randomInt(THINK_MS));
    }
  }

  #choose(visitor: Visitor, used: readonly string[]): string {
    const chance = randomInt(100);
    if (chance < WRONG) {
      return visitor.wrong();
    }
    const again = used.length === 0 ? undefined : used[Math.max(0, used.length - 1 - randomInt(3))];
    const right = chance < WRONG + REUSED ? undefined : visitor.right(this.#house.clock.now());
    return right ?? again ?? visitor.wrong();
  }
}

/** A process that logs people in. */
class Host {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  readonly #service: string;

  constructor({ stage }: House, client: string, service: string) {
    this.#service = service;
    this.#child = spawn(client, [`${stage.dir}/pam.d`], {
      env: stage.environment,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async logIn(visitor: Visitor, typed: string, origin: string): Promise<Login> {
    const begun = Date.now();
    this.#child.stdin.write(`${this.#service} ${visitor.name} ${typed} ${origin}\n`);
    const line = await this.#lines.next();
    const [, rc, shown] = /^(\d+) (.*)$/.exec(line.done === true ? '' : line.value) ?? [];
    if (rc === undefined || shown === undefined) {
      throw new Error('a host that logs people in has ended');
    }
    return { visitor, typed, rc: Number(rc), shown, begun, ended: Date.now() };
  }

  end(): void {
    this.#child.stdin.end();
  }
}
