import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PAM } from '../daemon/pam-login.ts';
import { AS_ROOT, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { Door, showLog } from '../faults/fault-stage.ts';

/* Somebody who can crash the daemon gets no extra guesses. */

/** The limits that docs/explanation/threat-model.md promises, not taken from the source. */
const PER_ORIGIN = 3;
const PER_USER = 10;
const PERIOD_MS = 30_000;
/** As the out-of-memory killer ends it, and as V8 does when its heap is full. */
const DEATHS = ['SIGKILL', 'SIGABRT'] as const;

let stage: Stage;
let daemon: Daemon;
let door: Door;
let file: string;

beforeEach(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
  door = new Door(stage);
  file = `${stage.runtimeDir}/volatile/attempts`;
});
afterEach(async ({ task }) => {
  showLog(daemon, task.result?.state === 'fail');
  await stage.clear();
});

async function die(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  await daemon.stop(signal);
}

/** Types a wrong code through the module. Returns whether it was checked. */
async function checks(person: Person, origin: string): Promise<boolean> {
  const { rc } = await door.try(person, person.wrongCode(), `RHOST=${origin}`);
  expect([PAM.denied, PAM.tooManyTries]).toContain(rc);
  return rc === PAM.denied;
}

/** Lets the daemon die after each guess, and expects no more guesses to be checked than the limit allows. */
async function expectCheckedAcrossDeaths(
  allowed: number,
  guesses: number,
  originOf: (guess: number) => string,
): Promise<void> {
  const person = stage.person();
  const begun = performance.now();
  let checked = 0;
  for (let guess = 0; guess < guesses; guess += 1) {
    checked += (await checks(person, originOf(guess))) ? 1 : 0;
    await die(DEATHS[guess % DEATHS.length]);
    daemon = await stage.start();
  }
  // On a busy machine a second period may begin meanwhile.
  const periods = Math.ceil((performance.now() - begun) / PERIOD_MS);
  expect(checked).toBeGreaterThanOrEqual(allowed);
  expect(checked).toBeLessThanOrEqual(allowed * periods);
}

describe('a daemon that dies after each guess', () => {
  test(`checks ${PER_ORIGIN} from one place`, async () => {
    await expectCheckedAcrossDeaths(PER_ORIGIN, 2 * PER_ORIGIN, () => 'a');
    const other = stage.person();
    await door.opens(other, other.code(), 'RHOST=a');
  });

  test(`checks ${PER_USER} from all places`, async () => {
    await expectCheckedAcrossDeaths(PER_USER, PER_USER + PER_ORIGIN, (guess) => `10.0.0.${guess}`);
  });
});

describe('the file of counts', () => {
  test('is for the daemon alone, and names nobody', async () => {
    const person = stage.person();
    await checks(person, 'known.example.org');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'latin1');
    expect(text).not.toContain(person.name);
    expect(text).not.toContain('example');
  });

  const spoilt: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['empty', () => Buffer.alloc(0)],
    ['short', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['of something else', (bytes) => Buffer.alloc(bytes.length, 'x')],
    [
      'full of nonsense behind its head',
      (bytes) => Buffer.concat([bytes.subarray(0, 4_096), Buffer.alloc(bytes.length - 4_096, 0xff)]),
    ],
  ];
  test.each(spoilt)('that is %s keeps nobody out, and counting goes on', async (_what, spoil) => {
    await die();
    writeFileSync(file, spoil(readFileSync(file)));
    daemon = await stage.start();
    const person = stage.person();
    await door.opens(person, person.code(), 'RHOST=home');
    await expectCheckedAcrossDeaths(PER_ORIGIN, 2 * PER_ORIGIN, () => 'a');
  });

  test('that cannot be written is said once, and guesses are counted as long as the daemon lives', async () => {
    await die();
    const directory = `${stage.runtimeDir}/volatile`;
    rmSync(directory, { recursive: true });
    mkdirSync(directory);
    chownSync(directory, process.getuid!(), process.getgid!());
    chmodSync(directory, 0o500);
    daemon = await stage.start();
    expect(
      daemon.log.matching(/^<4>Counts of attempts will be lost when this process ends why=EACCES$/),
    ).toHaveLength(1);
    const person = stage.person();
    const checked = [];
    for (let guess = 0; guess < 2 * PER_ORIGIN; guess += 1) {
      checked.push(await checks(person, 'a'));
    }
    expect(checked).toContain(false);
    await door.opens(person, person.code(), 'RHOST=b');
    expect(daemon.log.matching(/Counts of attempts will be lost/)).toHaveLength(1);
    if (!AS_ROOT) {
      chmodSync(directory, 0o700);
    }
  });
});
