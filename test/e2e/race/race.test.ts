import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import { PAM } from '../daemon/pam-login.ts';
import { FULL, NO_THROTTLE, Stage, type Daemon, type Person } from '../daemon/stage.ts';

const PROCESSES = 32;
/** Attempts that one person has from all origins together, when guesses are counted. */
const ADMITTED = 10;
const ROUNDS = FULL ? 20 : 4;
/** These rounds wait for the next boundary. */
const BOUNDARY_ROUNDS = FULL ? 20 : 2;
const RESTARTS = FULL ? 5 : 1;
const KILLS = FULL ? 20 : 4;
/** Longer than any round, so that a code is still good after a restart. */
const LONG_PERIOD = 120;

interface Outcome {
  readonly asked: number;
  readonly rc: readonly number[];
}

let stage: Stage;
let daemon: Daemon;
let client: string;
let service: string;

beforeAll(async () => {
  console.log(
    `race: ${ROUNDS} rounds, ${BOUNDARY_ROUNDS} at a boundary, ${RESTARTS} with restarts, ${KILLS} killed in the middle`,
  );
  stage = await Stage.build();
  client = await stage.compile(`${CHECKOUT}/test/e2e/race/race-client.c`, 'race-client', '-lpam');
  // All 32 shall reach the ledger.
  stage.configure(NO_THROTTLE);
  daemon = await stage.start();
  service = stage.service();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-40).join('\n')}`);
  }
});
afterAll(() => stage.clear());

async function race(racers: readonly (readonly [Person, string])[], release?: number): Promise<Outcome> {
  const argv = [client, `${stage.dir}/pam.d`, service, ...(release === undefined ? [] : [String(release)])];
  const input = racers.map(([{ name }, code]) => `${name} ${code}\n`).join('');
  const { stdout, stderr, status } = await run(argv, input, stage.environment);
  if (status !== 0) {
    throw new Error(`race-client: status ${String(status)} ${stdout}${stderr}`);
  }
  return JSON.parse(stdout) as Outcome;
}

function allWith(person: Person, code: string): (readonly [Person, string])[] {
  return Array.from({ length: PROCESSES }, () => [person, code] as const);
}

function successes({ rc }: Outcome): number {
  return rc.filter((value) => value === PAM.success).length;
}

/** Counts the reasons in the log about one person. */
async function reasons({ name }: Person, lines: number, from = daemon): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of await from.log.waitFor(new RegExp(` for ${name} `), lines)) {
    const reason = line.includes('Accepted') ? 'accepted' : (/ reason=(\S+)/.exec(line)?.[1] ?? line);
    counts[reason] = (counts[reason] ?? 0) + 1;
  }
  return counts;
}

async function expectOneWinner(person: Person, outcome: Outcome): Promise<void> {
  expect(outcome.asked).toBe(PROCESSES);
  expect(outcome.rc.toSorted((a, b) => a - b)).toEqual([
    PAM.success,
    ...Array.from({ length: PROCESSES - 1 }, () => PAM.denied),
  ]);
  // Nobody failed for another reason, so all reached the ledger.
  expect(await reasons(person, PROCESSES)).toEqual({ accepted: 1, 'code-already-used': PROCESSES - 1 });
}

async function expectNoWinner(person: Person, code: string): Promise<void> {
  const outcome = await race(allWith(person, code));
  expect(outcome.asked).toBe(PROCESSES);
  expect(outcome.rc).toEqual(Array.from({ length: PROCESSES }, () => PAM.denied));
  expect(await reasons(person, PROCESSES)).toEqual({ 'code-already-used': PROCESSES });
}

/** A period whose next boundary is near, but not before everybody has been asked. */
function nextBoundary(): { period: number; at: number } {
  const soon = Date.now() + 1_500;
  const all = Array.from({ length: LONG_PERIOD - 14 }, (_, index) => index + 15).map((period) => ({
    period,
    at: Math.ceil(soon / 1000 / period) * period * 1000,
  }));
  return all.reduce((best, other) => (other.at < best.at ? other : best));
}

describe(`${PROCESSES} processes with one code at the same moment`, () => {
  test.for(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'exactly one gets in: round %i',
    async () => {
      const person = stage.person();
      await expectOneWinner(person, await race(allWith(person, person.code())));
    },
  );

  test.for(Array.from({ length: BOUNDARY_ROUNDS }, (_, round) => round + 1))(
    'exactly one at the boundary of a time step: round %i',
    async () => {
      const { period, at } = nextBoundary();
      const person = stage.person({ period });
      // Asked in one step, answered when the next begins.
      await expectOneWinner(person, await race(allWith(person, person.code()), at));
      expect(Date.now()).toBeGreaterThanOrEqual(at);
    },
  );

  test.for(Array.from({ length: RESTARTS }, (_, round) => round + 1))(
    'nobody with a used code after a restart: round %i',
    async () => {
      const person = stage.person({ period: LONG_PERIOD });
      const code = person.code();
      await expectOneWinner(person, await race(allWith(person, code)));
      expect(await daemon.stop()).toBe(0);
      daemon = await stage.start();
      await expectNoWinner(person, code);
      await daemon.stop('SIGKILL');
      daemon = await stage.start();
      await expectNoWinner(person, code);
    },
  );

  test.for(Array.from({ length: KILLS }, (_, round) => round + 1))(
    'one at most when the daemon is killed in the middle and starts again: round %i',
    async (round) => {
      const person = stage.person({ period: LONG_PERIOD });
      const code = person.code();
      const racing = race(allWith(person, code));
      // Losers are told before the winner's use is durable, so the first line comes before the commit.
      const moment = round % 2 === 0 ? 'Accepted .*' : '';
      await daemon.log.waitFor(new RegExp(`${moment} for ${person.name} `));
      await daemon.stop('SIGKILL');
      const accepted = new RegExp(`Accepted .* for ${person.name} `);
      const before = { in: successes(await racing), logged: daemon.log.matching(accepted).length };
      daemon = await stage.start();
      const after = await race(allWith(person, code));
      expect(after.asked).toBe(PROCESSES);
      expect(before.in).toBeLessThanOrEqual(before.logged);
      expect(before.logged + successes(after)).toBeLessThanOrEqual(1);
    },
  );
});

test(`${PROCESSES} different persons at the same moment all get in`, async () => {
  const persons = Array.from({ length: PROCESSES }, () => stage.person());
  const outcome = await race(persons.map((person) => [person, person.code()]));
  expect(outcome).toEqual({ asked: PROCESSES, rc: persons.map(() => PAM.success) });
  for (const person of persons) {
    expect(await reasons(person, 1)).toEqual({ accepted: 1 });
  }
});

test('when guesses are counted, one gets in too, and the others do not all get a try', async () => {
  expect(await daemon.stop()).toBe(0);
  stage.configure('');
  daemon = await stage.start();
  const person = stage.person();
  const outcome = await race(allWith(person, person.code()));
  expect(outcome.asked).toBe(PROCESSES);
  expect(successes(outcome)).toBe(1);
  expect(await reasons(person, PROCESSES)).toEqual({
    accepted: 1,
    'code-already-used': ADMITTED - 1,
    'too-many-tries': PROCESSES - ADMITTED,
  });
  expect(outcome.rc.filter((rc) => rc === PAM.tooManyTries)).toHaveLength(PROCESSES - ADMITTED);
});
