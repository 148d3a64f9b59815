import { randomInt } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { command } from '../harness/daemon.ts';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, FULL, NO_THROTTLE, notRun, type Daemon, type Stage } from '../daemon/stage.ts';
import { Crowd } from './crowd.ts';
import { sheetOwner, tokenOwner, type SheetOwner, type TokenOwner } from './factors.ts';
import { FaultDisk } from './fault-disk.ts';
import { Door, showLog, stageWithStore } from './fault-stage.ts';
import { Load, type Try } from './load.ts';

/* kill -9: no code is accepted twice, no factor that was acknowledged is lost, the next login works. */

const KILLS = FULL ? 200 : 20;
const LONGEST_LIFE_MS = 300;
/** Codes that are tried again after each kill. */
const REPLAYED = 3;
const CROWD = 64;
/** Reduced: only some of the places where a daemon can be killed, chosen at random. */
const STEP = FULL ? 1 : 3;
/** Without root no factors are added; then there are fewer. */
const LEAST_CALLS = 12;
const LONG_MS = 900_000;
const PERIOD = 120;

let stage: Stage;
let daemon: Daemon;

afterEach(({ task }) => showLog(daemon, task.result?.state === 'fail'));

describe('at random moments', () => {
  let door: Door;
  let crowd: Crowd;
  const daemons: Daemon[] = [];

  beforeAll(async () => {
    console.log(
      `kill: ${KILLS} times at random; at ${FULL ? 'each' : 'every third'} call that changes the disk`,
    );
    stage = await stageWithStore(NO_THROTTLE);
    crowd = await Crowd.gather(stage);
    door = new Door(stage);
    await start();
    if (!AS_ROOT) {
      notRun('factors that are added while the daemon is killed', 'this needs root');
    }
  });
  afterAll(() => stage.clear());

  async function start(): Promise<void> {
    daemon = await stage.start();
    daemons.push(daemon);
  }

  /** Counts the log lines of all daemons that let somebody in. */
  function letIn(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const line of daemons.flatMap(({ log }) => log.matching(/Accepted/))) {
      const name = / for (\S+) /.exec(line)![1]!;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  function expectEachOnce(tries: readonly Try[]): void {
    const successes = new Set<string>();
    const codes = new Map<string, Set<string>>();
    for (const { name, code, rc } of tries) {
      codes.set(name, (codes.get(name) ?? new Set()).add(code));
      if (rc === PAM.success) {
        expect(successes, 'twice').not.toContain(`${name} ${code}`);
        successes.add(`${name} ${code}`);
      }
    }
    // A login counts as let in even if its verdict came too late for the host.
    for (const [name, count] of letIn()) {
      expect(count, name).toBeLessThanOrEqual(codes.get(name)?.size ?? 0);
    }
  }

  test(`${KILLS} times under load`, { timeout: LONG_MS }, async () => {
    const load = new Load(stage, door, AS_ROOT);
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await new Promise((resolve) => setTimeout(resolve, randomInt(LONGEST_LIFE_MS)));
        await daemon.stop('SIGKILL');
        await start();
        const next = stage.person({ period: PERIOD });
        expect(await load.try(next, next.code())).toBe(PAM.success);
        for (const { name, code } of load.accepted.slice(0, REPLAYED)) {
          await door.refuses({ name }, code);
        }
      }
    } finally {
      await load.stop();
    }
    const { accepted, tries } = load;
    const unknown = tries.filter(({ rc }) => rc === PAM.systemError).length;
    console.log(
      `kill: ${tries.length} logins, ${accepted.length} let in, ${unknown} cut off; ${load.changes} changes of factors`,
    );
    expect(accepted.length).toBeGreaterThan(KILLS);
    expect(unknown).toBeGreaterThan(0);
    expectEachOnce(tries);
    const service = stage.service();
    for (let from = 0; from < accepted.length; from += CROWD) {
      const members = accepted.slice(from, from + CROWD).map((one) => [one, one.code] as const);
      expect((await crowd.logIn(service, members)).rc).toEqual(members.map(() => PAM.denied));
    }
  });
});

describe('at each call that changes the disk', () => {
  let disk: FaultDisk;
  let door: Door;
  let token: TokenOwner;
  let counter = 0;

  beforeAll(async () => {
    stage = await stageWithStore(NO_THROTTLE);
    token = tokenOwner(stage);
    disk = await FaultDisk.under(stage);
    door = new Door(stage);
    // A daemon that was stopped, as all are here.
    daemon = await stage.start();
    expect(await daemon.stop()).toBe(0);
  });
  afterAll(async () => {
    disk.close();
    await stage.clear();
  });

  /** The answers that people got before the daemon was killed. */
  interface Told {
    readonly accepted: (readonly [{ readonly name: string }, string])[];
    factors: string[];
    gone: string[];
  }

  async function alive(): Promise<boolean> {
    return Promise.race([
      daemon.ended.then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 20, true)),
    ]);
  }

  /** A day in the life of a daemon, which may end anywhere. */
  async function live(sheet: SheetOwner, told: Told): Promise<void> {
    const newcomer = stage.person({ period: PERIOD, enrolled: false });
    const logIn = async (person: { readonly name: string }, code: string): Promise<void> => {
      if ((await door.try(person, code)).rc === PAM.success) {
        told.accepted.push([person, code]);
      }
    };
    const change = async (...argv: string[]): Promise<boolean> =>
      AS_ROOT && (await command(stage, ...argv)).status === 0;
    const steps = [
      () => logIn(token, token.code(counter++)),
      async () => {
        if (await change('add', 'totp', '--user', sheet.name, '--name', 'first')) {
          told.factors.push('first');
        }
      },
      () => logIn(sheet, sheet.codes[0]!),
      async () => {
        if (await change('remove', 'first', '--user', sheet.name, '--yes')) {
          told.factors = [];
          told.gone.push('first');
        } else if (AS_ROOT) {
          told.factors = []; // it may or may not have ended
        }
      },
      () => change('add', 'hotp', '--user', newcomer.name),
      () => change('remove', 'token', '--user', newcomer.name, '--yes'),
      () => logIn(token, token.code(counter++)),
    ];
    try {
      daemon = await stage.start();
    } catch {
      return; // killed before it was ready
    }
    for (const step of steps) {
      if (!(await alive())) {
        return;
      }
      await step();
    }
  }

  test('starting, logging in, adding and removing factors', { timeout: LONG_MS }, async () => {
    let places = 0;
    for (let at = 1 + randomInt(STEP); ; at += STEP) {
      for (const lose of FULL ? [true, false] : [randomInt(2) === 0]) {
        const sheet = sheetOwner(stage);
        disk.settle();
        disk.fail({ killAt: at });
        const told: Told = { accepted: [], factors: [], gone: [] };
        await live(sheet, told);
        if (await alive()) {
          const { calls } = disk;
          expect(calls).toBeLessThan(at);
          await daemon.stop();
          disk.heal();
          console.log(`kill: ${places} times at one of ${calls} calls`);
          expect(calls).toBeGreaterThan(LEAST_CALLS);
          expect(places).toBeGreaterThanOrEqual(Math.floor(calls / STEP));
          return;
        }
        places += 1;
        disk.heal();
        if (lose) {
          disk.loseUnsynced();
        }
        daemon = await stage.start();
        const place = `killed at call ${at}${lose ? ', unsynced lost' : ''}`;
        for (const [person, code] of told.accepted) {
          expect((await door.try(person, code)).rc, place).toBe(PAM.denied);
        }
        if (AS_ROOT) {
          const { stdout } = await command(stage, 'list', '--user', sheet.name, '--json');
          const [view] = JSON.parse(stdout) as [{ factors: { name: string }[] }];
          const names = view.factors.map(({ name }) => name);
          expect(names, place).toEqual(expect.arrayContaining(['codes', ...told.factors]));
          expect(
            names.filter((name) => told.gone.includes(name)),
            place,
          ).toEqual([]);
        }
        await door.opens(token, token.code(counter++));
        await door.opens(sheet, sheet.codes[1]!);
        expect(await daemon.stop()).toBe(0);
      }
    }
  });
});
