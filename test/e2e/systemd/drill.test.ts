import { copyFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { GuardedMachine, PASSWORD } from './guarded-machine.ts';
import { CHECKOUT_THERE, whyNoMachine } from './machine.ts';

/*
 * A lock-out drill: whatever an administrator does, and whatever happens meanwhile, root can get in afterwards in one of the ways
 * of docs/guides/when-logins-fail.md. Each sequence is drawn from its seed; DRILL_SEED=N runs that one.
 */

const SEQUENCES = process.env['ROUNDS'] === 'full' ? 50 : 4;
const ONE_SEED = process.env['DRILL_SEED'];
const LEAST_STEPS = 4;
const MOST_STEPS = 9;
const TEST_MS = 3_600_000;
const CLIENT = '/usr/local/bin/pam-client';
const SERVICES = ['sshd', 'su', 'login'];
/** Edits of administrators in a file with the module's line. */
const EDITS = [
  `sed -i '1i # a word of mine' FILE`,
  `echo >>FILE`,
  `sed -i '/# by pve-google-authenticator enable$/i auth [success=1 default=ignore] pam_succeed_if.so quiet user = nobody' FILE`,
  `sed -i 's/ # by pve-google-authenticator enable$//' FILE`,
  `sed -i 's/pam_pve_authenticator.so #/pam_pve_authenticator.so debug #/' FILE`,
  `sed -i '/^@include common-auth/s/^/# /' FILE; sed -i '1i auth required pam_unix.so' FILE`,
];

type Way = 'the console' | 'a recovery code' | 'a reboot' | 'rescue target';

/** A seeded random generator, 0 to 1 (mulberry32). */
function drawnFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: the lock-out drill: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('lock-out drill', { timeout: TEST_MS }, () => {
  let guarded: GuardedMachine;
  const attempt = (line: string) => guarded.machine.run(['sh', '-c', line]);
  const make = (target: string): string => `make --no-print-directory -C ${CHECKOUT_THERE} ${target}`;

  /** Root at the console: libpam's own conversation of the service `login`. */
  const atConsole = async (...typed: string[]): Promise<boolean> => {
    const argv = [CLIENT, 'login', 'root', 'auth', 'acct'];
    const { stdout } = await guarded.machine.run(argv, typed.map((line) => `${line}\n`).join(''));
    const results = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { ev: string; rc?: number })
      .filter(({ ev }) => ev === 'op');
    return results.length === 2 && results.every(({ rc }) => rc === 0);
  };

  /** The ways of docs/guides/when-logins-fail.md, from the nearest to the last; undefined: root is locked out. */
  const wayIn = async (): Promise<Way | undefined> => {
    if (await atConsole(PASSWORD)) {
      return 'the console';
    }
    if (await atConsole(PASSWORD, guarded.code('root'))) {
      return 'a recovery code';
    }
    if ((await attempt('test -e /etc/pve-authenticator/switch/pending')).status === 0) {
      await guarded.reboot();
      return (await atConsole(PASSWORD)) ? 'a reboot' : undefined;
    }
    await attempt('pve-authenticator-undo --off');
    return (await atConsole(PASSWORD)) ? 'rescue target' : undefined;
  };

  /** Everything installed, nothing switched on, codes for root and alice. */
  const afresh = async (): Promise<void> => {
    await guarded.machine.shell(`
      pve-authenticator-undo --off 2>/dev/null || :
      rm -rf /etc/pve-authenticator/switch /run/pve-authenticator-switch
      rm -rf /etc/pam.d && cp -a /root/pam.d /etc/pam.d
      systemctl stop pve-authenticator-undo.timer 2>/dev/null || :`);
    await guarded.install();
    // After an upgrade, closed services stay closed.
    await guarded.machine.shell('systemctl reset-failed; systemctl start pve-authenticator.socket');
    await guarded.synchronise();
    for (const user of ['root', 'alice']) {
      await guarded.enrol(user);
    }
  };

  /** One event of a sequence. */
  const step = async (draw: () => number): Promise<string> => {
    const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)]!;
    const service = pick(SERVICES);
    const words = [pick([service, service, '--all', '--all-doors']), pick(['', '--nullok'])];
    const enable = `pve-google-authenticator enable ${words.join(' ')} --minutes ${pick(['0.05', '5'])}`;
    const moment = (draw() * 1.5).toFixed(2);
    const happening = pick([
      enable,
      enable,
      enable,
      `${enable} & sleep ${moment}; kill -9 $!`,
      pick(EDITS).replaceAll('FILE', `/etc/pam.d/${service}`),
      pick(EDITS).replaceAll('FILE', `/etc/pam.d/${service}`),
      'kill -9 -1',
      'reboot',
      'confirm',
      make('install'),
      `${make('install')} & sleep ${moment}; kill -9 -$!`,
      `pve-google-authenticator disable ${pick(['--all --yes', service])}`,
      make('uninstall'),
      'systemctl stop pve-authenticator.socket pve-authenticator.service',
    ]);
    if (happening === 'reboot') {
      await guarded.reboot();
    } else if (happening === 'confirm') {
      // A real login first, at the console.
      await atConsole(PASSWORD, guarded.code('root'));
      await attempt('pve-google-authenticator confirm');
    } else {
      // In a process group of its own, so that it can be killed as a whole.
      await attempt(`set -m; ${happening}`);
    }
    return happening;
  };

  beforeAll(async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    guarded = await GuardedMachine.boot();
    copyFileSync(`${CHECKOUT}/build/native-test/pam-client`, guarded.machine.path(CLIENT));
    await guarded.machine.shell('cp -a /etc/pam.d /root/pam.d');
  }, 300_000);
  afterAll(() => guarded.machine.stop());

  test('docs/guides/when-logins-fail.md names every way', () => {
    const ways = readFileSync(`${CHECKOUT}/docs/guides/when-logins-fail.md`, 'utf8');
    for (const way of [
      '| reboot |',
      '| a recovery code |',
      'the console, for example',
      '| rescue target |',
    ]) {
      expect(ways).toContain(way);
    }
  });

  test(`root gets in after each of ${SEQUENCES} sequences`, async () => {
    const first = ONE_SEED === undefined ? Math.floor(Math.random() * 1_000_000) : Number(ONE_SEED);
    const seeds = Array.from({ length: ONE_SEED === undefined ? SEQUENCES : 1 }, (_, at) => first + at);
    const ways: Way[] = [];
    for (const seed of seeds) {
      const draw = drawnFrom(seed);
      await afresh();
      const course: string[] = [];
      const steps = LEAST_STEPS + Math.floor(draw() * (MOST_STEPS - LEAST_STEPS + 1));
      for (let count = 0; count < steps; count += 1) {
        course.push(await step(draw));
      }
      const way = await wayIn();
      console.log(`seed ${seed}: ${course.join(' | ')} => ${way ?? 'LOCKED OUT'}`);
      if (way === undefined) {
        const files = await attempt(
          'grep -n . /etc/pam.d/login; ls -R /etc/pve-authenticator; journalctl -n 40 --no-pager',
        );
        expect.fail(`seed ${seed} locks root out:\n${course.join('\n')}\n${files.stdout}`);
      }
      ways.push(way);
    }
    const counts = [...new Set(ways)].map(
      (way) => `${ways.filter((other) => other === way).length} by ${way}`,
    );
    console.log(`${ways.length} sequences from seed ${first} on; root got in: ${counts.join(', ')}`);
    expect(ways).toHaveLength(seeds.length);
  });
});
