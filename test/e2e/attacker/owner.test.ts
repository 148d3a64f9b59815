import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FRAME_TYPE } from '../../../src/daemon/wire/frame.ts';
import { ModuleSocket } from '../daemon/module-socket.ts';
import { PAM } from '../daemon/pam-login.ts';
import { Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { Crowd } from '../faults/crowd.ts';
import { recoveryFactor, enrol, sheetOwner } from '../faults/factors.ts';
import { Door, showLog } from '../faults/fault-stage.ts';
import { claimLogin, claimOf, startOf } from './module-login.ts';

/* A stranger who knows the owner's password tries to keep the owner out. The owner has TOTP only. */

const ORIGINS = 20;
const TRIES = 2_000;
/** Enough guesses to be throttled. */
const SOME_TRIES = 60;
const PER_USER = 10;
const PERIOD_S = 30;
const PROMPTS = 600;
const HOME = 'RHOST=198.51.100.7';
const ELSEWHERE = 'RHOST=198.51.100.8';

let stage: Stage;
let daemon: Daemon;
let door: Door;
let crowd: Crowd;
let service: string;

beforeEach(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
  door = new Door(stage);
  crowd = await Crowd.gather(stage);
  service = stage.service();
});
afterEach(async ({ task }) => {
  showLog(daemon, task.result?.state === 'fail');
  await stage.clear();
});

/** A stranger tries from 20 origins. Returns how many tries were throttled. */
async function attack(owner: Person, tries: number): Promise<number> {
  const members = Array.from({ length: ORIGINS }, () => [owner, owner.wrongCode()] as const);
  let heldBack = 0;
  for (let done = 0; done < tries; done += ORIGINS) {
    const { rc } = await crowd.logIn(service, members);
    expect(rc.filter((one) => one !== PAM.denied && one !== PAM.tooManyTries)).toEqual([]);
    heldBack += rc.filter((one) => one === PAM.tooManyTries).length;
  }
  return heldBack;
}

async function restart(signal: NodeJS.Signals): Promise<void> {
  await daemon.stop(signal);
  daemon = await stage.start();
}

describe('the owner comes from a known place', () => {
  test(`${TRIES} wrong tries from ${ORIGINS} places: few are checked, the owner gets in`, async () => {
    const owner = stage.person();
    await door.opens(owner, owner.code(-1), HOME);
    const began = performance.now();
    const first = await attack(owner, TRIES / 2);
    await door.opens(owner, owner.code(0), HOME);
    // Only the origin makes the difference.
    expect((await door.try(owner, owner.code(1), ELSEWHERE)).rc).toBe(PAM.tooManyTries);
    const second = await attack(owner, TRIES / 2);
    const periods = Math.ceil((performance.now() - began) / 1000 / PERIOD_S);
    await door.opens(owner, owner.code(1), HOME);
    const checked = TRIES - first - second;
    expect(checked).toBeGreaterThan(0);
    expect(checked).toBeLessThanOrEqual(PER_USER * periods);
    expect(daemon.log.matching(/reason=wrong-code/)).toHaveLength(checked);
  });

  test('the place is known after a restart, and after a kill -9 once somebody else has logged in', async () => {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const owner = stage.person();
      const other = stage.person();
      await door.opens(owner, owner.code(-1), HOME);
      if (signal === 'SIGKILL') {
        await door.opens(other, other.code());
      }
      await restart(signal);
      expect(await attack(owner, SOME_TRIES)).toBeGreaterThanOrEqual(SOME_TRIES - PER_USER);
      await door.opens(owner, owner.code(0), HOME);
      expect((await door.try(owner, owner.code(1), ELSEWHERE)).rc, signal).toBe(PAM.tooManyTries);
      await restart('SIGTERM');
    }
  });

  test('of an IPv6 address the network counts: for the stranger, and for the owner', async () => {
    const owner = stage.person();
    await door.opens(owner, owner.code(0), 'RHOST=2001:db8:1::1');
    let checked = 0;
    for (let host = 1; host <= ORIGINS; host += 1) {
      const { verdict } = await claimLogin(
        stage,
        { ...claimOf(owner), rhost: `2001:db8:2::${host}` },
        owner.wrongCode(),
      );
      checked += verdict === 'denied' ? 1 : 0;
    }
    expect(checked).toBe(3);
    await attack(owner, SOME_TRIES);
    await door.opens(owner, owner.code(1), 'RHOST=2001:db8:1::abcd');
    expect((await door.try(owner, owner.code(2), 'RHOST=2001:db8:3::1')).rc).toBe(PAM.tooManyTries);
  });

  test("a stranger at the owner's origin is throttled there, and gains nothing", async () => {
    const owner = stage.person();
    await door.opens(owner, owner.code(0), HOME);
    const rcs = [];
    for (let time = 0; time < 5; time += 1) {
      rcs.push((await door.try(owner, owner.wrongCode(), HOME)).rc);
    }
    expect(rcs).toEqual([PAM.denied, PAM.denied, PAM.tooManyTries, PAM.tooManyTries, PAM.tooManyTries]);
    // From elsewhere the owner still has the attempts of strangers.
    await door.opens(owner, owner.code(1), ELSEWHERE);
  });
});

test('with a recovery code the owner gets in from anywhere, whatever strangers do', async () => {
  const owner = stage.person();
  await attack(owner, SOME_TRIES);
  expect((await door.try(owner, owner.code(), ELSEWHERE)).rc).toBe(PAM.tooManyTries);
  const { factor, codes } = recoveryFactor(stage, owner.name);
  enrol(stage, owner, [factor]);
  await door.opens(owner, codes[0]!, ELSEWHERE);
  await door.refuses(owner, codes[0]!, ELSEWHERE);
  const sheet = sheetOwner(stage);
  for (const code of sheet.codes.slice(0, 5)) {
    await door.opens(sheet, code, HOME);
  }
});

test(`${PROMPTS} open prompts do not keep the owner out`, async () => {
  const owner = stage.person();
  await door.opens(owner, owner.code(-1), HOME);
  const open: ModuleSocket[] = [];
  for (let prompt = 0; prompt < PROMPTS; prompt += 1) {
    // Half of them at terminals of this machine.
    const from = prompt % 2 === 0 ? { tty: 'pts/3' } : { rhost: `203.0.113.${prompt % ORIGINS}` };
    const login = await ModuleSocket.connect(stage.socket('pam'));
    const frame = await login.send(startOf({ ...claimOf(owner), ...from })).next();
    expect(frame?.type).toBe(FRAME_TYPE.prompt);
    open.push(login);
  }
  await door.opens(owner, owner.code(0), HOME);
  const stranger = stage.person();
  await door.opens(stranger, stranger.code(), ELSEWHERE);
  await door.opens(owner, owner.code(1), 'TTY=tty1');
  // The login that was asked last is still open.
  expect(open.filter(({ stirred }) => !stirred).length).toBeGreaterThan(PROMPTS / 2);
  expect(open.at(-1)?.stirred).toBe(false);
  await Promise.all(open.map((login) => login.close()));
});
