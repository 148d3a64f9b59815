import { afterAll, beforeAll, expect, test } from 'vitest';
import { claimLogin, claimOf } from '../attacker/module-login.ts';
import { logIn, PAM } from './pam-login.ts';
import { NO_THROTTLE, Stage, type Daemon } from './stage.ts';

/* A slow or missing reader of the daemon's log delays no login. */

const LOGINS = 1_000;
const AT_ONCE = 20;
const GOOD_LOGINS = 5;

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
});
afterAll(() => stage.clear());

test(`nobody reads the log: ${LOGINS} logins go on, and what is missing of it is said later`, async () => {
  const guessed = stage.person();
  const code = guessed.wrongCode();
  const long = 'x'.repeat(250);
  daemon.log.pause();
  const verdicts: string[] = [];
  for (let done = 0; done < LOGINS; done += AT_ONCE) {
    const some = Array.from({ length: AT_ONCE }, async () => {
      // Debug lines fill the log fastest.
      const claim = { ...claimOf(guessed), rhost: '192.0.2.1', tty: long, moduleArguments: ['debug'] };
      verdicts.push((await claimLogin(stage, claim, code)).verdict);
    });
    await Promise.all(some);
  }
  expect(verdicts).toEqual(Array.from({ length: LOGINS }, () => 'denied'));
  const service = stage.service();
  for (let login = 0; login < GOOD_LOGINS; login++) {
    const person = stage.person();
    expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
  }
  daemon.log.resume();
  const [line] = await daemon.log.waitFor(/Lines of this log are missing/);
  const missing = Number(/ lines=(\d+)/.exec(line!)?.[1]);
  const audits = Number(/ audits=(\d+)/.exec(line!)?.[1]);
  expect(missing).toBeGreaterThan(0);
  const refusals = daemon.log.matching(/Invalid verification code/).length;
  const accepted = daemon.log.matching(/Accepted verification code/).length;
  expect(refusals + accepted + audits).toBe(LOGINS + GOOD_LOGINS);
  const debugging = daemon.log.matching(/^<7>/).length;
  expect(debugging + missing - audits).toBe(3 * LOGINS);
  expect(debugging / (3 * LOGINS)).toBeLessThan((refusals + accepted) / (LOGINS + GOOD_LOGINS));
});
