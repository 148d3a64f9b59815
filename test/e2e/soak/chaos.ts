import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { FLOODS, floodFor, type Flood } from './floods.ts';
import type { House } from './house.ts';

const MINUTE_MS = 60_000;
/** How far the clock may be from the machine's: a second, a step, some minutes, hours. */
const OFFSETS_MS = [
  ...[0, 1_000, -1_000, 29_000, -29_000, 61_000, -61_000],
  ...[10, -10, 60, -60, 24 * 60].map((minutes) => minutes * MINUTE_MS),
];
/** Well below the five seconds that a module waits for its first question. */
const LONGEST_STOP_MS = 2_500;
const FLOOD_MS = 2_000;
const LONGEST_FULL_MS = 3_000;
const LONGEST_LIFE_MS = 5_000;
const LONGEST_CALM_MS = 1_000;

/** The events of a daemon, with their counts. */
export type Counts = Map<string, number>;

/** Simulates the events of a real machine one after the other, until it is stopped; kills come at any time. */
export class Chaos {
  readonly counts: Counts = new Map();
  readonly #house: House;
  readonly #kills: boolean;
  #going = false;
  #ended: Promise<unknown> = Promise.resolve();

  /**
   * @param house - to which
   * @param kills - whether the daemon is killed, too
   */
  constructor(house: House, kills: boolean) {
    this.#house = house;
    this.#kills = kills;
  }

  begin(): void {
    this.#going = true;
    this.#ended = Promise.all([this.#happen(), ...(this.#kills ? [this.#kill()] : [])]);
  }

  /** Waits until nothing happens any more. The clock is right then, and the disk has room. */
  async calm(): Promise<void> {
    this.#going = false;
    await this.#ended;
    this.#house.clock.moveTo(0);
  }

  async #happen(): Promise<void> {
    const round = [
      ...[this.#jump, this.#jump, this.#stop, this.#fill].map((one) => one.bind(this)),
      ...FLOODS.map((flood) => () => this.#flood(flood)),
    ];
    for (let at = 0; this.#going; at += 1) {
      if (at % round.length === 0) {
        shuffle(round);
      }
      await round[at % round.length]!();
      await sleep(randomInt(LONGEST_CALM_MS));
    }
  }

  async #kill(): Promise<void> {
    while (this.#going) {
      await sleep(randomInt(LONGEST_LIFE_MS));
      await this.#during('kill -9', () => this.#house.restart());
    }
  }

  async #jump(): Promise<void> {
    this.#count('jump of the clock');
    this.#house.clock.moveTo(OFFSETS_MS[randomInt(OFFSETS_MS.length)]!);
    return Promise.resolve();
  }

  #stop(): Promise<void> {
    return this.#during('SIGSTOP', async () => {
      const { daemon } = this.#house;
      daemon.signal('SIGSTOP');
      await sleep(randomInt(LONGEST_STOP_MS));
      daemon.signal('SIGCONT');
    });
  }

  #fill(): Promise<void> {
    return this.#during('full disk', async () => {
      await (this.#kills ? this.#house.restart(true) : this.#house.fillDisk());
      await sleep(randomInt(LONGEST_FULL_MS));
      this.#house.makeRoom();
    });
  }

  /** Without a daemon nobody empties the queue that root's own flood fills, and a module waits for a place in it for two seconds only. */
  #flood(flood: Flood): Promise<void> {
    const { stage } = this.#house;
    const run = (): Promise<void> =>
      this.#during(`flood of ${flood.socket}.sock`, () => floodFor(stage, flood, FLOOD_MS));
    return flood.socket === 'pam' ? this.#house.alone(run) : run();
  }

  async #during(what: string, happening: () => Promise<void>): Promise<void> {
    this.#count(what);
    await this.#house.during(what, happening);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function shuffle(list: unknown[]): void {
  for (let last = list.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [list[last], list[other]] = [list[other], list[last]];
  }
}
