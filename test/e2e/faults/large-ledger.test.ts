import { chownSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { LedgerDirectory } from '../../../src/daemon/ledger/ledger-directory.ts';
import { MAX_MARKS } from '../../../src/daemon/ledger/limits.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { AS_ROOT, DAEMON_UID, NO_THROTTLE, type Daemon, type Stage } from '../daemon/stage.ts';
import { enrol, sheetOwner, tokenOwner, totpFactor, type SheetOwner, type TokenOwner } from './factors.ts';
import { Door, showLog, stageWithStore } from './fault-stage.ts';
import { writeLargeLedger } from './large-ledger.ts';
import { codeOf } from '../harness/code.ts';
import { encodeBase32 } from '../../../src/factors/base32.ts';

/* A daemon with the flags of the unit finds a ledger with as many marks as it takes, or more, and serves. */

const LONG_MS = 300_000;
const FULL = /^<1>The ledger of used codes is full/;
const UNIT = readFileSync(`${CHECKOUT}/scripts/systemd/pve-authenticator.service.in`, 'utf8');
const MEMORY_MAX = Number(/^MemoryMax=(\d+)M$/m.exec(UNIT)![1]) * 1024 * 1024;
const NODE_FLAGS = UNIT.match(/--max-[a-z-]+=\d+/g)!;

let stage: Stage;
let daemon: Daemon;
let door: Door;
let token: TokenOwner;
let sheet: SheetOwner;
let ledger: string;

beforeAll(async () => {
  stage = await stageWithStore(NO_THROTTLE);
  stage.around = ['env', `NODE_OPTIONS=${NODE_FLAGS.join(' ')}`, 'MALLOC_ARENA_MAX=1'];
  door = new Door(stage);
  ledger = `${stage.stateDir}/ledger`;
});
afterEach(async ({ task }) => {
  showLog(daemon, task.result?.state === 'fail');
  await daemon.stop('SIGKILL');
});
afterAll(() => stage.clear());

/** Adds this number of marks of others to the existing ones. */
function grow(count: number): void {
  const before: Uint32Array[] = [];
  for (const words of new LedgerDirectory(ledger).load().marks.parts(() => [], 64)) {
    before.push(words.slice());
  }
  readdirSync(ledger).forEach((name) => rmSync(`${ledger}/${name}`));
  writeLargeLedger(ledger, Uint32Array.from(before.flatMap((words) => [...words])), count);
  if (AS_ROOT) {
    readdirSync(ledger).forEach((name) => chownSync(`${ledger}/${name}`, DAEMON_UID, DAEMON_UID));
  }
}

/** The most memory that the daemon ever had, in bytes. */
function peak(): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))!;
  return Number(kibibytes) * 1024;
}

test.each([
  ['as many marks as it takes', 1_000_000, false],
  ['more marks than it takes', MAX_MARKS + 200_000, true],
])('with %s everybody who is in it logs in, and root', { timeout: LONG_MS }, async (_, count, full) => {
  token = tokenOwner(stage);
  sheet = sheetOwner(stage);
  daemon = await stage.start();
  await door.opens(token, token.code(0));
  await door.opens(sheet, sheet.codes[0]!);
  expect(await daemon.stop()).toBe(0);
  grow(count);

  const begun = performance.now();
  daemon = await stage.start();
  console.log(`${count} marks: ready after ${Math.round(performance.now() - begun)} ms`);
  expect(daemon.log.matching(FULL)).toHaveLength(full ? 1 : 0);
  await door.refuses(token, token.code(0));
  await door.opens(token, token.code(1));
  await door.refuses(sheet, sheet.codes[0]!);
  await door.opens(sheet, sheet.codes[1]!);
  const factor = totpFactor(30);
  enrol(stage, { name: 'root', uid: 0 }, [factor]);
  await door.opens({ name: 'root' }, codeOf({ secret: encodeBase32(factor.secret), period: 30 }));

  // Another generation, as at every start: all of it is written once more.
  await daemon.stop('SIGKILL');
  daemon = await stage.start();
  await door.refuses(token, token.code(1));
  await door.refuses(sheet, sheet.codes[1]!);
  await door.opens(token, token.code(2));
  console.log(`at most ${Math.round(peak() / 1024 / 1024)} MiB of ${MEMORY_MAX / 1024 / 1024}`);
  expect(peak()).toBeLessThan(MEMORY_MAX);
});
