import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NO_THROTTLE, notRun } from '../daemon/stage.ts';
import { canMount } from '../faults/small-disk.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Callers } from './callers.ts';
import { Chaos } from './chaos.ts';
import { House } from './house.ts';
import { describeLogins, describeParts, partsOf } from './report.ts';
import { Tally } from './tally.ts';

/*
 * Soak and chaos: many people log in with all their factors at two daemons, under all faults that a machine may have. One daemon
 * is killed again and again; the other runs all the time, so that leaks would add up. `make soak` runs it for five minutes.
 */

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 30);
/** Memory is compared only if a part is at least a minute, because at first Node still grows. */
const JUDGED_SECONDS = 300;
const PARTS = 5;
const PART_MS = (SECONDS * 1000) / PARTS;
const GROWTH = 1.1;
const HOSTS = 4;
/** The daemons start on a full disk, with a journal that is nearly full. */
const FULL_AT_FIRST_MS = 1_500;
const REPLAYED = SECONDS * 2;
/** Logins that a module never began are closed after five seconds. */
const QUIET_MS = 6_000;
const SETTLE_MS = 20_000;
const LONG_MS = SECONDS * 3_000 + 120_000;

class Side {
  readonly tally = new Tally();
  readonly callers: Callers;
  readonly chaos: Chaos;
  readonly house: House;

  constructor(house: House, client: string, kills: boolean) {
    this.house = house;
    this.callers = new Callers(house, this.tally, client, HOSTS);
    this.chaos = new Chaos(house, kills);
  }

  static async open(kills: boolean): Promise<Side> {
    const house = await House.open(Math.max(20, Math.round(SECONDS / 2)));
    const client = `${CHECKOUT}/test/e2e/soak/soak-client.c`;
    return new Side(house, await house.stage.compile(client, 'soak-client', '-lpam'), kills);
  }

  /** Waits until nobody logs in and nothing happens. */
  async rest(): Promise<void> {
    await this.chaos.calm();
    await this.callers.rest();
  }

  /** How many descriptors the daemon has when nobody logs in; what is being closed is waited for. */
  async descriptorsAtRest(enough: number): Promise<number> {
    let least = this.house.descriptors;
    let since = Date.now();
    const begun = since;
    while (least > enough && Date.now() - since < QUIET_MS && Date.now() - begun < SETTLE_MS) {
      await sleep(100);
      const now = this.house.descriptors;
      since = now < least ? Date.now() : since;
      least = Math.min(least, now);
    }
    return least;
  }

  /** All accepted codes are tried again. */
  async replay(): Promise<void> {
    await this.house.reconfigure(NO_THROTTLE);
    const { accepted } = this.callers;
    const all = accepted.map((one) => [randomInt(2 ** 32), one] as const).sort(([a], [b]) => a - b);
    await this.callers.replay(all.slice(0, REPLAYED).map(([, one]) => one));
  }

  async close(): Promise<void> {
    this.callers.end();
    await this.house.clear();
  }
}

describe.runIf(canMount)('soak', () => {
  let killed: Side;
  let lasting: Side;
  const opened: Side[] = [];

  beforeAll(async () => {
    console.log(`soak: ${SECONDS} s`);
    for (const kills of [true, false]) {
      opened.push(await Side.open(kills));
    }
    [killed, lasting] = opened as [Side, Side];
  }, 120_000);
  afterAll(async () => {
    for (const side of opened) {
      await side.close();
    }
  });

  test(`${SECONDS} s of logins and chaos`, { timeout: LONG_MS }, async () => {
    const sides = [killed, lasting];
    sides.forEach(({ callers }) => callers.begin());
    await sleep(FULL_AT_FIRST_MS);
    sides.forEach(({ house, chaos }) => {
      house.makeRoom();
      chaos.begin();
    });
    await sleep(PART_MS);
    await lasting.rest();
    const first = await lasting.descriptorsAtRest(0);
    lasting.callers.begin();
    lasting.chaos.begin();
    await sleep((PARTS - 1) * PART_MS);
    await Promise.all(sides.map((side) => side.rest()));
    sides.forEach(({ house }) => house.stopSampling());
    const last = await lasting.descriptorsAtRest(first);
    const before = sides.map(({ tally }) => tally.logins);
    await Promise.all(sides.map((side) => side.replay()));
    const replayed = sides.map(({ tally }, index) => tally.logins - before[index]!);

    const parts = partsOf(lasting.house.samples, PART_MS);
    const growth = parts.at(-1)!.mib / parts[1]!.mib;
    console.log(
      [
        ...describeLogins('The daemon that was killed', killed.chaos.counts, killed.tally),
        ...describeLogins('The daemon that lived through it all', lasting.chaos.counts, lasting.tally),
        `  at the end ${replayed.join(' + ')} codes that had let somebody in were typed again at the time at which they had`,
        ...describeParts('The daemon that lived through it all', parts, PART_MS),
        `  memory, last part compared with the second: ${((growth - 1) * 100).toFixed(1)}%${
          SECONDS >= JUDGED_SECONDS ? '' : ` (judged from ${JUDGED_SECONDS} s on)`
        }`,
        `  descriptors at rest after the first part: ${first}; at the end: ${last}`,
      ].join('\n'),
    );
    for (const { tally, house } of sides) {
      expect(tally.findings, `the daemon's log:\n${house.daemon.log.lines.slice(-20).join('\n')}`).toEqual(
        [],
      );
      expect(tally.of('let in')).toBeGreaterThan(SECONDS);
      expect(tally.of('refused')).toBeGreaterThan(0);
    }
    expect(killed.house.kills).toBeGreaterThan(1);
    expect(last).toBeLessThanOrEqual(first);
    if (SECONDS >= JUDGED_SECONDS) {
      expect(growth).toBeLessThanOrEqual(GROWTH);
    }
  });
});

test.runIf(!canMount)('soak', () => {
  notRun('soak and chaos', 'this needs root, and mounts in a namespace of their own');
});
