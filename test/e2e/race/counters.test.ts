import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PAM } from '../daemon/pam-login.ts';
import { FULL, NO_THROTTLE, Stage, type Daemon } from '../daemon/stage.ts';
import { Crowd, reasonsFor, type Outcome } from '../faults/crowd.ts';
import { sheetOwner, tokenOwner, type Account } from '../faults/factors.ts';

/* Many processes with one code of a token, or of a list. */

const PROCESSES = 32;
const ROUNDS = FULL ? 20 : 4;
/** Attempts that one person has from one origin. */
const ADMITTED = 3;
const RHOST = '192.0.2.77';
const rounds = Array.from({ length: ROUNDS }, (_, round) => round + 1);

let stage: Stage;
let daemon: Daemon;
let crowd: Crowd;
let service: string;

async function startWith(configuration: string): Promise<void> {
  stage = await Stage.build();
  stage.configure(configuration);
  daemon = await stage.start();
  crowd = await Crowd.gather(stage);
  service = stage.service();
}
afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-40).join('\n')}`);
  }
});

async function allWith(person: Account, code: string, rhost?: string): Promise<Outcome> {
  const members = Array.from({ length: PROCESSES }, () => [person, code] as const);
  const outcome = await crowd.logIn(service, members, rhost);
  expect(outcome.asked).toBe(PROCESSES);
  return outcome;
}

function times(count: number, rc: number): number[] {
  return Array.from({ length: count }, () => rc);
}

/** One gets in, and the log shows that all others reached the ledger and found the code used up. */
async function expectOneWinner(person: Account, { rc }: Outcome): Promise<void> {
  expect(rc.toSorted((a, b) => a - b)).toEqual([PAM.success, ...times(PROCESSES - 1, PAM.denied)]);
  expect(await reasonsFor(daemon, person, PROCESSES)).toEqual({
    accepted: 1,
    'code-already-used': PROCESSES - 1,
  });
}

describe(`${PROCESSES} processes with one code, all checked`, () => {
  beforeAll(() => {
    console.log(`counters: ${ROUNDS} rounds each`);
    return startWith(NO_THROTTLE);
  });
  afterAll(() => stage.clear());

  test.for(rounds)('HOTP: exactly one gets in: round %i', async () => {
    const person = tokenOwner(stage);
    for (const counter of [0, 1]) {
      const outcome = await allWith(person, person.code(counter));
      expect(outcome.rc.filter((rc) => rc === PAM.success)).toHaveLength(1);
    }
    expect(await reasonsFor(daemon, person, 2 * PROCESSES)).toEqual({
      accepted: 2,
      'code-already-used': 2 * (PROCESSES - 1),
    });
  });

  test.for(rounds)('a recovery code: exactly one gets in: round %i', async () => {
    const person = sheetOwner(stage);
    await expectOneWinner(person, await allWith(person, person.codes[0]!));
    const again = await crowd.logIn(service, [[person, person.codes[1]!]]);
    expect(again.rc).toEqual([PAM.success]);
  });

  test('different codes do not get into the way of each other', async () => {
    const token = tokenOwner(stage);
    const sheet = sheetOwner(stage);
    const { rc } = await crowd.logIn(
      service,
      sheet.codes.map((code) => [sheet, code] as const),
    );
    expect(rc).toEqual(times(sheet.codes.length, PAM.success));
    // A later code of a token uses up the earlier ones, so the number of logins depends on their order.
    const presses = Array.from({ length: 10 }, (_, counter) => [token, token.code(counter)] as const);
    const outcome = await crowd.logIn(service, presses);
    expect(outcome.rc.at(-1)).toBe(PAM.success);
    expect((await crowd.logIn(service, presses)).rc).toEqual(times(presses.length, PAM.denied));
    expect((await crowd.logIn(service, [[token, token.code(10)]])).rc).toEqual([PAM.success]);
  });
});

describe(`${PROCESSES} processes with one code from one place, guesses counted`, () => {
  beforeAll(() => startWith(''));
  afterAll(() => stage.clear());

  /** At most three were checked; the others are throttled. */
  async function expectThreeChecked(person: Account, { rc }: Outcome): Promise<void> {
    expect(rc.toSorted((a, b) => a - b)).toEqual([
      PAM.success,
      ...times(ADMITTED - 1, PAM.denied),
      ...times(PROCESSES - ADMITTED, PAM.tooManyTries),
    ]);
    expect(await reasonsFor(daemon, person, PROCESSES)).toEqual({
      accepted: 1,
      'code-already-used': ADMITTED - 1,
      'too-many-tries': PROCESSES - ADMITTED,
    });
  }

  test.for(rounds)('TOTP: three are checked, one gets in: round %i', async () => {
    const person = stage.person({ period: 120 });
    await expectThreeChecked(person, await allWith(person, person.code(), RHOST));
  });

  test.for(rounds)('HOTP: three are checked, one gets in: round %i', async () => {
    const person = tokenOwner(stage);
    await expectThreeChecked(person, await allWith(person, person.code(0), RHOST));
  });

  test.for(rounds)('a recovery code is not throttled: round %i', async () => {
    const person = sheetOwner(stage);
    await expectOneWinner(person, await allWith(person, person.codes[0]!, RHOST));
  });
});
