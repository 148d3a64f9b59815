import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { PYTHON, Stage, type Daemon, type Person } from './stage.ts';

/* A client that was written from docs/reference/protocol.md alone, in Python: the page says enough, and the daemon keeps to it. */

const DENIED = 0;
const OK = 1;
const NOT_ENROLLED = 2;
const USER_UNKNOWN = 3;
const NO_SHAPE = 255;
const ASKED = { question: 'Verification code: ', part: 0, shapes: [[1, 6]] };

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
});
afterAll(() => stage.clear());

async function logIn(user: string, answer: string, ...args: readonly string[]): Promise<unknown[]> {
  const out = await runWell([
    ...['env', `LD_PRELOAD=${stage.environment['LD_PRELOAD']!}`],
    ...[PYTHON, `${CHECKOUT}/test/e2e/daemon/protocol-client.py`, stage.socket('pam')],
    ...['by-the-page', user, answer, ...args],
  ]);
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

const verdict = (code: number, delay = 2_000_000, shape = NO_SHAPE): unknown => ({
  verdict: code,
  shape,
  delay_us: delay,
});

function logged(words: string, { name }: Person, fields: string): Promise<string[]> {
  return daemon.log.waitFor(new RegExp(`${words} ${name} service=by-the-page .*${fields}`));
}

describe('a client in another language, written from docs/reference/protocol.md', () => {
  test('gets in with the right code, and with the same code not again', async () => {
    const person = stage.person();
    const code = person.code();
    expect(await logIn(person.name, code)).toEqual([ASKED, verdict(OK, 0)]);
    expect(await logIn(person.name, code)).toEqual([ASKED, verdict(DENIED)]);
    await logged('Invalid verification code for', person, 'reason=code-already-used');
  });

  test('gets in with a code that was typed in groups', async () => {
    const person = stage.person({ digits: 8 });
    const spaced = person.code().replace(/(....)/, '$1 - ');
    expect(await logIn(person.name, spaced)).toEqual([{ ...ASKED, shapes: [[1, 8]] }, verdict(OK, 0)]);
  });

  test('does not with a wrong one, with letters, or with nothing', async () => {
    const person = stage.person();
    for (const [answer, reason] of [
      [person.wrongCode(), 'wrong-code'],
      ['letters', 'no-code'],
      ['', 'no-code'],
    ] as const) {
      expect(await logIn(person.name, answer)).toEqual([ASKED, verdict(DENIED)]);
      await logged('Invalid verification code for', person, `reason=${reason}`);
    }
  });

  test('cancels', async () => {
    const person = stage.person();
    expect(await logIn(person.name, '-')).toEqual([ASKED]);
    await logged('No verification code from', person, 'reason=cancelled');
  });

  test('learns which tail was the code', async () => {
    const person = stage.person();
    const answer = `a password ${person.code()}`;
    expect(await logIn(person.name, answer, 'forward_pass')).toEqual([
      { ...ASKED, question: 'Password & verification code: ', part: 1 },
      verdict(OK, 0, 0),
    ]);
  });

  test('is asked the same as somebody else when there is no such user, or no factor', async () => {
    expect(await logIn('nobody-of-this-name', '123456')).toEqual([ASKED, verdict(USER_UNKNOWN)]);
    const { name } = stage.person({ enrolled: false });
    expect(await logIn(name, '123456')).toEqual([ASKED, verdict(NOT_ENROLLED)]);
    expect(await logIn(name, '123456', 'nullok')).toEqual([verdict(NOT_ENROLLED)]);
  });
});
