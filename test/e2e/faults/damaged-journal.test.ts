import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ENTRY_BYTES } from '../../../src/daemon/ledger/entry.ts';
import { HEADER_BYTES } from '../../../src/daemon/ledger/batch.ts';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { scanned } from '../../unit/fixtures/ledger-entries.ts';
import { command } from '../harness/daemon.ts';
import { codeOf } from '../harness/code.ts';
import { runWell } from '../harness/run.ts';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, FULL, NO_THROTTLE, notRun, type Daemon, type Person, type Stage } from '../daemon/stage.ts';
import { Crowd } from './crowd.ts';
import { enrol, sheetOwner, tokenOwner, totpFactor, type Account, type TokenOwner } from './factors.ts';
import { FaultDisk } from './fault-disk.ts';
import { Door, reboot, showLog, stageWithStore } from './fault-stage.ts';

/* The journal of a daemon that was stopped is cut, or changed in its middle, and the daemon starts again. */

const COMMITS = 9;
const PLACES = 40;
const BATCH_BYTES = HEADER_BYTES + ENTRY_BYTES;
const WINDOW_MS = 3_000;
const DAMAGED = /^<1>The ledger of used codes is damaged: run "pve-google-authenticator repair"/;
const LONG_MS = 900_000;

/** Where the commits begin: behind the journal's header, and a batch without entries for each daemon that ended before. */
let firstCommit: number;
/** Where the journal ends: behind the commits, and the end of the daemon that wrote them. */
let usedBytes: number;
let stage: Stage;
let daemon: Daemon;
let door: Door;
let crowd: Crowd;
let service: string;
let template: string;
/** The codes of the journal's records, in their order. */
let used: (readonly [Account, string])[];
let spare: TokenOwner;
/** Their codes are good for three seconds, and for a minute and a half. */
let quick: Account & { code: () => string };
let slow: Person;

beforeAll(async () => {
  stage = await stageWithStore(NO_THROTTLE);
  crowd = await Crowd.gather(stage);
  service = stage.service();
  door = new Door(stage);
  template = `${stage.dir}/template`;
  spare = tokenOwner(stage);
  slow = stage.person();
  const account = stage.person({ enrolled: false });
  const factor = totpFactor(1);
  enrol(stage, account, [factor]);
  const secret = encodeBase32(factor.secret);
  quick = { ...account, code: () => codeOf({ secret, period: 1 }) };
  daemon = await stage.start();
  used = [];
  for (let commit = 0; commit < COMMITS; commit += 1) {
    const token = tokenOwner(stage);
    const sheet = sheetOwner(stage);
    const one = commit % 2 === 0 ? ([token, token.code(0)] as const) : ([sheet, sheet.codes[0]!] as const);
    await door.opens(one[0], one[1]);
    used.push(one);
  }
  expect(await daemon.stop()).toBe(0);
  await runWell(['cp', '-a', stage.stateDir, template]);
  const { entries, end } = scanned(readFileSync(journal()), generation());
  expect(entries).toHaveLength(COMMITS);
  usedBytes = end;
  firstCommit = end - HEADER_BYTES - COMMITS * BATCH_BYTES;
  expect(firstCommit % HEADER_BYTES).toBe(0);
});
beforeEach(restore);
afterEach(async ({ task }) => {
  showLog(daemon, task.result?.state === 'fail');
  await daemon.stop('SIGKILL');
  stage.around = [];
});
afterAll(() => stage.clear());

async function restore(): Promise<void> {
  reboot(stage);
  rmSync(stage.stateDir, { recursive: true });
  await runWell(['cp', '-a', template, stage.stateDir]);
}

function generation(): number {
  const [name] = readdirSync(`${template}/ledger`).filter((one) => one.startsWith('journal.'));
  return Number(name!.replace('journal.', ''));
}

function journal(): string {
  return `${stage.stateDir}/ledger/journal.${generation()}`;
}

/** None of these works again. */
async function refusesAll(codes: readonly (readonly [Account, string])[]): Promise<void> {
  if (codes.length > 0) {
    expect((await crowd.logIn(service, codes)).rc).toEqual(codes.map(() => PAM.denied));
  }
}

async function repair(): Promise<void> {
  const { status, stdout } = await command(stage, 'repair', '--yes');
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: expect.stringContaining('is intact again') as string,
  });
}

describe('cut', () => {
  /** Truncated, or zeros from there on, as in a new file. */
  function cutAt(length: number, zeros: boolean): { sound: boolean; whole: number } {
    const before = readFileSync(journal()).subarray(0, usedBytes);
    if (zeros) {
      writeFileSync(journal(), readFileSync(journal()).fill(0, length));
    } else {
      truncateSync(journal(), length);
    }
    const after = readFileSync(journal());
    const same = (from: number, to: number): boolean =>
      after.subarray(from, to).equals(before.subarray(from, to));
    const ends = Array.from({ length: COMMITS }, (_, index) => firstCommit + (index + 1) * BATCH_BYTES);
    return {
      // A file that is shorter than its header says has lost data, whatever the rest contains.
      sound: zeros && same(0, HEADER_BYTES),
      whole: ends.filter((end) => same(end - BATCH_BYTES, end)).length,
    };
  }

  function places(): number[] {
    const all = Array.from({ length: usedBytes + 1 }, (_, length) => length);
    if (FULL) {
      return all;
    }
    const edges = [
      ...[0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1],
      ...[usedBytes - HEADER_BYTES, usedBytes - 1, usedBytes],
    ];
    const batch = firstCommit + randomInt(COMMITS) * BATCH_BYTES;
    const chosen = new Set([...edges, batch, batch + 1, batch + HEADER_BYTES]);
    while (chosen.size < PLACES) {
      chosen.add(randomInt(usedBytes));
    }
    return [...chosen].sort((a, b) => a - b);
  }

  test('it opens with every complete record, or says that it is damaged', { timeout: LONG_MS }, async () => {
    const lengths = places();
    console.log(`journal: cut at ${lengths.length} of ${usedBytes + 1} places`);
    let damaged = 0;
    for (const length of lengths) {
      await restore();
      const { sound, whole } = cutAt(length, length % 2 === 1);
      daemon = await stage.start();
      const says = `cut at ${length}`;
      expect(daemon.log.matching(DAMAGED).length, says).toBe(sound ? 0 : 1);
      await refusesAll(used.slice(0, whole));
      if (sound) {
        await door.opens(spare, spare.code(0));
      } else {
        damaged += 1;
        await door.cannotCheck(spare, spare.code(0));
        if (AS_ROOT) {
          await repair();
          await door.opens(spare, spare.code(0));
        }
      }
      await door.refuses(spare, AS_ROOT || sound ? spare.code(0) : '000000');
      await daemon.stop('SIGKILL');
    }
    expect(damaged).toBeGreaterThan(0);
  });
});

describe('damaged in its middle', () => {
  const HIT = 3;

  /** One byte of one record is changed. */
  function damage(): void {
    const bytes = readFileSync(journal());
    const at = firstCommit + HIT * BATCH_BYTES + HEADER_BYTES + randomInt(ENTRY_BYTES);
    bytes[at] = bytes[at]! ^ 0x10;
    writeFileSync(journal(), bytes);
  }

  function readable(): (readonly [Account, string])[] {
    return used.filter((_, index) => index !== HIT);
  }

  test('counters are refused, TOTP serves after one window, repair makes it sound', async () => {
    damage();
    daemon = await stage.start();
    const since = performance.now();
    const [alert] = await daemon.log.waitFor(DAMAGED);
    expect(alert).toMatch(
      new RegExp(`journal\\.${generation()}: a batch is missing or unreadable at byte \\d+`),
    );
    await door.cannotCheck(quick, quick.code());
    expect(performance.now() - since).toBeLessThan(WINDOW_MS);
    await door.cannotCheck(spare, spare.code(0));
    await refusesAll(readable());
    await new Promise((resolve) => setTimeout(resolve, since + WINDOW_MS + 200 - performance.now()));
    const code = quick.code();
    await door.opens(quick, code);
    await door.refuses(quick, code);
    // Its window is longer.
    await door.cannotCheck(slow, slow.code());
    await door.cannotCheck(spare, spare.code(0));
    if (!AS_ROOT) {
      notRun('repair', 'this needs root');
      return;
    }
    await repair();
    expect(
      readdirSync(`${stage.stateDir}/ledger`).filter((name) => name.startsWith('damaged-')),
    ).toHaveLength(2);
    await door.opens(spare, spare.code(0));
    await door.opens(slow, slow.code());
    await refusesAll([...readable(), [spare, spare.code(0)]]);
    expect((await command(stage, 'repair', '--yes')).stdout).toMatch(/nothing to repair/);
    await daemon.stop('SIGKILL');
    daemon = await stage.start();
    expect(daemon.log.matching(DAMAGED)).toEqual([]);
    await refusesAll([...readable(), [spare, spare.code(0)]]);
    await door.opens(spare, spare.code(1));
    expect(await daemon.stop()).toBe(0);
  });

  test.runIf(AS_ROOT)('repair on a full disk changes nothing, and can be tried again', async () => {
    damage();
    const disk = await FaultDisk.under(stage);
    daemon = await stage.start();
    disk.fail({ writeErrno: 28 });
    const { status, stderr } = await command(stage, 'repair', '--yes');
    expect({ status, stderr }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Nothing was changed') as string,
    });
    await door.cannotCheck(spare, spare.code(0));
    await daemon.stop('SIGKILL');
    disk.heal();
    daemon = await stage.start();
    expect(daemon.log.matching(DAMAGED)).toHaveLength(1);
    await door.cannotCheck(spare, spare.code(0));
    await repair();
    await refusesAll(readable());
    await door.opens(spare, spare.code(0));
    expect(await daemon.stop()).toBe(0);
    disk.close();
  });
});
