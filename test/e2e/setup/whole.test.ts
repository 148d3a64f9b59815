import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { CHECKOUT, startDaemon, type Daemon } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { daemonAccount, newAccount } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { atTerminal, type Screen, type Step } from '../harness/terminal.ts';
import { Tmux } from './tmux.ts';

/* Whatever happens at any step of the setup, either the old or the new enrolment is complete. */

const canSee = spawnSync('which', ['tmux']).status === 0;
const RUNTIME = '/run/pve-authenticator';
const STATE = '/var/lib/pve-authenticator-small';
const ENROLMENTS = `${STATE}/enrolments`;
/** Room for two journals and a snapshot. */
const SIZE = '6m';
const PROMPTS = [
  /as on phones\?.*\] $/s,
  /-1 skips\): $/,
  /Save this for .*\] $/,
  /Enlarge .*\] $/s,
  /Limit .*\] $/,
];
const ANSWERS = ['', '-1', '', '', ''];
const STEPS = PROMPTS.map((_, step) => step);

if (!canSee) {
  notRun('daemons that are killed and disks that are full during the setup', 'this needs tmux');
}

describeInBox('the setup, left or hit at any step', () => {
  let daemon: Daemon;
  let owner: string;

  const start = async (): Promise<void> => {
    daemon = await startDaemon({ runtimeDir: RUNTIME, stateDir: STATE, user: owner });
    await daemon.log.waitFor(/Ready/);
  };
  beforeAll(async () => {
    owner = await daemonAccount();
    mkdirSync(STATE, { mode: 0o700 });
    await runWell(['mount', '-t', 'tmpfs', '-o', `size=${SIZE},mode=700`, 'none', STATE]);
    await runWell(['chown', owner, STATE]);
    await start();
  });
  afterAll(async () => {
    await daemon.stop('SIGKILL');
    await run(['umount', '-l', STATE]);
  });

  const as = (name: string, ...argv: readonly string[]): string[] => [
    ...['setpriv', '--reuid', name, '--regid', name, '--init-groups', 'env', `HOME=/home/${name}`],
    ...[process.execPath, `${CHECKOUT}/dist/command/main.js`, ...argv],
  ];
  /** A user with a phone and recovery codes, and their record. */
  async function somebody(): Promise<{ name: string; file: string; old: string; secret: string }> {
    const { name } = await newAccount();
    const { stdout } = await run(as(name, '-t', '-f', '-q', '--json', '--name=old'));
    const { secret } = JSON.parse(stdout) as { secret: string };
    const file = `${ENROLMENTS}/${name}.json`;
    return { name, file, secret, old: readFileSync(file, 'utf8') };
  }
  const names = (file: string): string[] =>
    (JSON.parse(readFileSync(file, 'utf8')) as { factors: { name: string }[] }).factors.map(
      (factor) => factor.name,
    );

  /** Answers the questions up to a step, and then does something else. */
  function walk(name: string, step: number, last: Step): Promise<Screen> {
    const before = STEPS.slice(0, step).map((at): Step => ({ expect: PROMPTS[at]!, enter: ANSWERS[at]! }));
    return atTerminal(as(name), [...before, last]);
  }

  test.each(STEPS)('Ctrl-C at question %i changes nothing', async (step) => {
    const { name, file, old } = await somebody();
    const seen = await walk(name, step, { expect: PROMPTS[step]!, interrupt: true });
    expect(seen).toMatchObject({ unmet: null, status: 130 });
    expect(seen.screen).toContain('Nothing was changed.');
    expect(readFileSync(file, 'utf8')).toBe(old);
  });

  test.each(STEPS)('nor a terminal that is closed at question %i', async (step) => {
    const { name, file, old } = await somebody();
    const seen = await walk(name, step, { expect: PROMPTS[step]!, hangUp: true });
    expect(seen.unmet).toBeNull();
    expect(seen.status).toBeGreaterThan(0);
    expect(readFileSync(file, 'utf8')).toBe(old);
  });

  test.runIf(canSee).each(STEPS)('nor a daemon that is killed at question %i', async (step) => {
    const { name, file, old, secret } = await somebody();
    const tmux = await Tmux.start(as(name));
    for (const at of STEPS) {
      await tmux.waitFor(new RegExp(PROMPTS[at]!.source.replace(/ \$$/, '$'), 'ms'));
      if (at === step) {
        await daemon.stop('SIGKILL');
      }
      await tmux.enter(ANSWERS[at]!);
    }
    expect(await tmux.ended()).toBe(1);
    expect(await tmux.screen()).toMatch(/The daemon cannot be reached/);
    await tmux.end();
    expect(readFileSync(file, 'utf8')).toBe(old);
    await start();
    await expectProven(name, secret);
  });

  test.runIf(canSee).each(STEPS)('nor a disk that is full from question %i on', async (step) => {
    const { name, file, old, secret } = await somebody();
    const tmux = await Tmux.start(as(name));
    try {
      for (const at of STEPS) {
        await tmux.waitFor(new RegExp(PROMPTS[at]!.source.replace(/ \$$/, '$'), 'ms'));
        if (at === step) {
          await run(['dd', 'if=/dev/zero', `of=${STATE}/filler`, 'bs=4k']);
        }
        await tmux.enter(ANSWERS[at]!);
      }
      await tmux.waitFor(/^Your code:$/m);
      await tmux.enter(codeOf({ secret }));
      expect(await tmux.ended()).toBe(1);
      expect(await tmux.screen()).toMatch(/cannot be written \(ENOSPC\)/);
    } finally {
      await tmux.end();
      rmSync(`${STATE}/filler`, { force: true });
    }
    expect(readFileSync(file, 'utf8')).toBe(old);
    await expectProven(name, secret, 1);
  });

  test.each([
    ['fsync', 1],
    ['rename', 1],
    ['fsync', 2],
  ])('a daemon that is killed at its %s number %i leaves the old or the new', async (call, when) => {
    const { name, file, old, secret } = await somebody();
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${when}`];
    const strace = spawn('strace', ['-f', '-p', String(daemon.pid), ...inject], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Log('strace', strace.stderr).waitFor(/attached/);
    const ended = await run(as(name, '-t', '-f', '-q', '--name=new'), `${codeOf({ secret })}\n`);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/The daemon (cannot be reached|got the request and did not answer)/);
    strace.kill();
    const isOld = names(file).length === 2;
    expect(isOld ? readFileSync(file, 'utf8') : names(file)).toEqual(isOld ? old : ['old', 'codes', 'new']);
    await daemon.stop('SIGKILL');
    await start();
    await expectProven(name, secret, 1);
  });

  test('a full disk leaves the old, and when there is room again it can be done', async () => {
    const { name, file, old, secret } = await somebody();
    await run(['dd', 'if=/dev/zero', `of=${STATE}/filler`, 'bs=4k']);
    const full = await run(as(name, '-t', '-f', '-q', '--name=new'), `${codeOf({ secret })}\n`);
    expect(full.status).toBe(1);
    expect(full.stderr).toMatch(
      /The store cannot be written \(ENOSPC\)\. No factor was changed, but the code that you typed is used up/,
    );
    expect(readFileSync(file, 'utf8')).toBe(old);
    expect(readdirSync(ENROLMENTS).filter((entry) => entry.startsWith('.'))).toEqual([]);
    rmSync(`${STATE}/filler`);
    const roomy = await run(as(name, '-t', '-f', '-q', '--name=new'), `${codeOf({ secret }, 1)}\n`);
    expect(roomy.status, roomy.stderr).toBe(0);
    expect(names(file)).toEqual(['old', 'codes', 'new']);
  });

  async function expectProven(name: string, secret: string, steps = 0): Promise<void> {
    const proven = await run(as(name, 'rename', 'old', 'still-there'), `${codeOf({ secret }, steps)}\n`);
    expect(proven.status, proven.stderr).toBe(0);
  }
});
