import { truncateSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { logIn, PAM, type LoginEnd } from '../daemon/pam-login.ts';
import { Stage, type Daemon } from '../daemon/stage.ts';
import { recordFile } from '../faults/factors.ts';
import { showLog } from '../faults/fault-stage.ts';
import { claimLogin, claimOf, type Claim, type Seen } from './module-login.ts';

/*
 * Somebody who tries to log in cannot tell enrolled users from others, or from unknown names. The benchmark compares the times.
 */

const TRIES = 5;
const ADMITTED = 3;
const DELAY_US = 2_000_000;

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
});
afterEach(({ task }) => showLog(daemon, task.result?.state === 'fail'));
afterAll(() => stage.clear());

let strangers = 0;

/** Somebody new of each kind. */
function kinds(): Readonly<Record<'enrolled' | 'not enrolled' | 'unknown' | 'with a bad record', Claim>> {
  const damaged = stage.person();
  truncateSync(recordFile(stage, damaged.name));
  strangers += 1;
  return {
    enrolled: claimOf(stage.person()),
    'not enrolled': claimOf(stage.person({ enrolled: false })),
    unknown: { user: `nobody-${strangers}` },
    'with a bad record': claimOf(damaged),
  };
}

/** What a host lets the person at the keyboard see. */
function shownOf({ texts, questions, failDelayUs }: Seen): unknown {
  return { texts, questions, failDelayUs };
}

const ARGUMENTS = [[], ['forward_pass'], ['try_first_pass'], ['use_first_pass'], ['debug']];

describe.each(
  ARGUMENTS.map((moduleArguments) => ({ name: moduleArguments.join() || 'no', moduleArguments })),
)('with $name arguments', ({ moduleArguments }) => {
  test.each(['000000', '0000000', '00000000', '', 'abcdef', 'AAAA-BBBB-CCCC-DDDD'])(
    'the answer "%s": the same texts, questions and delay for all',
    async (answer) => {
      const { enrolled, ...others } = kinds();
      const seen = shownOf(await claimLogin(stage, { ...enrolled, moduleArguments }, answer));
      expect(seen).toMatchObject({ failDelayUs: DELAY_US });
      for (const [kind, claim] of Object.entries(others)) {
        expect(shownOf(await claimLogin(stage, { ...claim, moduleArguments }, answer)), kind).toEqual(seen);
      }
    },
  );
});

test('throttles all after the same number of tries, with the same text', async () => {
  const rows: Record<string, unknown[]> = {};
  const verdicts: Record<string, string[]> = {};
  for (const [kind, claim] of Object.entries(kinds())) {
    rows[kind] = [];
    verdicts[kind] = [];
    for (let time = 0; time < TRIES; time += 1) {
      const seen = await claimLogin(stage, { ...claim, rhost: '192.0.2.9' }, '000000');
      rows[kind].push(shownOf(seen));
      verdicts[kind].push(seen.verdict);
    }
  }
  for (const [kind, row] of Object.entries(rows)) {
    expect(row, kind).toEqual(rows['enrolled']);
    const [own] = verdicts[kind]!;
    const heldBack = Array.from({ length: TRIES - ADMITTED }, () => 'too-many-tries');
    expect(verdicts[kind], kind).toEqual([own, own, own, ...heldBack]);
  }
  // The host knows PAM's result, but does not show it to the person.
  expect(Object.values(verdicts).map(([first]) => first)).toEqual([
    'denied',
    'not-enrolled',
    'user-unknown',
    'denied',
  ]);
});

test('the same through libpam', async () => {
  const service = stage.service();
  const persons = {
    enrolled: stage.person().name,
    'not enrolled': stage.person({ enrolled: false }).name,
    unknown: 'nobody-of-this-name',
  };
  const ends: Record<string, LoginEnd[]> = {};
  for (const [kind, name] of Object.entries(persons)) {
    ends[kind] = [];
    for (let time = 0; time < TRIES; time += 1) {
      ends[kind].push(await logIn(stage, name, '000000', { service, items: ['RHOST=192.0.2.10'] }));
    }
  }
  const shown = (kind: string): unknown => ends[kind]!.map((end) => end.shown);
  expect(shown('not enrolled')).toEqual(shown('enrolled'));
  expect(shown('unknown')).toEqual(shown('enrolled'));
  const rcs = (kind: string): number[] => ends[kind]!.map(({ rc }) => rc);
  expect(rcs('not enrolled')).toEqual(rcs('enrolled'));
  expect(rcs('unknown').slice(ADMITTED)).toEqual([PAM.tooManyTries, PAM.tooManyTries]);
});
