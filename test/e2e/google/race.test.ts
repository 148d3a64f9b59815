import { mkdtempSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PAM } from '../daemon/pam-login.ts';
import { FULL } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { compile } from '../harness/compile.ts';
import { run } from '../harness/run.ts';
import { FileUser } from './file-user.ts';
import type { Module } from './module.ts';
import { useModules } from './modules.ts';
import { hotp, lines, totp } from './scenario.ts';

const PROCESSES = 32;
const ROUNDS = FULL ? 20 : 5;
/** Within this number of rounds, Debian's module lets too many in; usually in the first. */
const GOOGLE_ROUNDS = 20;
/** What RATE_LIMIT 3 30 lets through at once. */
const CHECKED = 3;
const FIVE = ['11111111', '22222222', '33333333', '44444444', '55555555'];

interface Race {
  readonly title: string;
  /** Of the module. */
  readonly options?: string;
  readonly file: string;
  /** The answers, each typed by the same number of processes. */
  readonly typed: readonly string[];
  /** How many get in. */
  readonly winners: number;
  /** What the file says then. */
  readonly after: string;
}

const RACES: readonly Race[] = [
  {
    title: 'one scratch code: one gets in',
    file: lines('{secret}', '87654321', '12345678'),
    typed: ['12345678'],
    winners: 1,
    after: lines('{secret}', '87654321'),
  },
  {
    title: 'one time-based code with DISALLOW_REUSE: one gets in',
    file: totp('" DISALLOW_REUSE'),
    typed: ['{code}'],
    winners: 1,
    after: totp('" DISALLOW_REUSE {step}'),
  },
  {
    title: 'one time-based code with allow_readonly: one gets in',
    options: 'allow_readonly',
    file: totp('" DISALLOW_REUSE'),
    typed: ['{code}'],
    winners: 1,
    after: totp('" DISALLOW_REUSE {step}'),
  },
  {
    title: 'one counter-based code: one gets in',
    file: hotp(1, '" WINDOW_SIZE 1'),
    typed: ['{hotp:1}'],
    winners: 1,
    after: hotp(2 + PROCESSES - 1, '" WINDOW_SIZE 1'),
  },
  {
    title: 'five scratch codes: five get in, and none is left',
    file: lines('{secret}', ...FIVE),
    typed: FIVE,
    winners: FIVE.length,
    after: lines('{secret}'),
  },
];

/** The results of PAM, and the file at the end, with what it should be. */
interface Outcome {
  readonly name: string;
  readonly successes: number;
  /** What the clients said on standard error. */
  readonly said: readonly string[];
  readonly text: string;
  readonly expected: string;
}

describeInBox(`${PROCESSES} processes and one state file at the same moment`, () => {
  const modules = useModules('races');
  let dir: string;
  let client: string;

  beforeAll(async () => {
    dir = mkdtempSync('/srv/race-');
    client = `${dir}/race-client`;
    await compile('test/e2e/race/race-client.c', client, '-lpam');
    console.log(`races with one file: ${ROUNDS} rounds`);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  async function hold(
    { options = '', file, typed, after }: Omit<Race, 'title' | 'winners'>,
    module: Module,
  ): Promise<Outcome> {
    const user = await FileUser.make(module, file, { options });
    const { name } = user.account;
    const racers = Array.from({ length: PROCESSES }, (_, index) => typed[index % typed.length]!);
    const input = racers.map((code) => `${name} ${user.fill(code)}\n`).join('');
    const argv = [client, module.confdir, name];
    const { stdout, stderr, status } = await run(argv, input, module.environment);
    if (status !== 0) {
      throw new Error(`race-client: status ${String(status)} ${stdout}${stderr}`);
    }
    const { asked, rc } = JSON.parse(stdout) as { asked: number; rc: number[] };
    expect(asked).toBe(PROCESSES);
    return {
      name,
      text: user.text,
      expected: user.expected(after),
      said: stderr.split('\n'),
      successes: rc.filter((value) => value === PAM.success).length,
    };
  }

  describe.for(RACES)('$title', (race) => {
    test.for(Array.from({ length: ROUNDS }, (_, round) => round + 1))('round %i', async () => {
      const { successes, text, expected } = await hold(race, modules().ours);
      expect(successes).toBe(race.winners);
      expect(text).toBe(expected);
    });

    test("Debian's module: the round in which it lets too many in", async () => {
      const { google } = modules();
      let successes = race.winners;
      let round = 0;
      while (google !== undefined && successes === race.winners && round < GOOGLE_ROUNDS) {
        ({ successes } = await hold(race, google));
        round += 1;
      }
      console.log(
        successes === race.winners
          ? `pam_google_authenticator: ${successes} in each of ${round} rounds`
          : `pam_google_authenticator: ${successes} instead of ${race.winners} in round ${round}`,
      );
    });
  });

  describe('RATE_LIMIT 3 30 and as many guesses: three are checked', () => {
    const guesses = {
      file: totp('" RATE_LIMIT 3 30'),
      typed: ['{wrong}'],
      after: totp('" RATE_LIMIT 3 30 {now} {now} {now}'),
    };

    test.for(Array.from({ length: ROUNDS }, (_, round) => round + 1))('round %i', async () => {
      const { successes, name, text, expected } = await hold(guesses, modules().ours);
      expect(successes).toBe(0);
      expect(text).toBe(expected);
      const logged = await modules().ours.daemon.log.waitFor(new RegExp(` for ${name} `), PROCESSES);
      expect(logged.filter((line) => line.includes('reason=wrong-code'))).toHaveLength(CHECKED);
      expect(logged.filter((line) => line.includes('reason=too-many-tries'))).toHaveLength(
        PROCESSES - CHECKED,
      );
    });

    test("Debian's module checks all of them", async () => {
      const { google } = modules();
      if (google !== undefined) {
        const { said } = await hold(guesses, google);
        expect(said.filter((line) => line.startsWith('Invalid verification code'))).toHaveLength(PROCESSES);
        expect(said.filter((line) => line.startsWith('Too many'))).toEqual([]);
      }
    });
  });
});
