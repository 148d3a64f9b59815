import { spawn } from 'node:child_process';
import { closeSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Log } from '../harness/log.ts';
import { listenOn } from '../../../src/host/addon.ts';
import { listenInVain } from './listen-in-vain.ts';
import { logIn, PAM, PamLogin } from './pam-login.ts';
import { AS_ROOT, DAEMON_UID, Stage, type Daemon } from './stage.ts';

const EXIT_FAILED = 1;
const IN_FLIGHT = 3;
const QUEUED = 20;

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
});
afterAll(() => stage.clear());

/** A directory that the daemon's user may write to. */
function directory(name: string): string {
  const path = `${stage.dir}/${name}`;
  mkdirSync(path, { mode: 0o700 });
  chownSync(path, DAEMON_UID, AS_ROOT ? DAEMON_UID : process.getgid!());
  return path;
}

/** Starts a daemon that must open its sockets itself. It should fail; if it serves, it is killed. */
async function runDaemon(options: {
  runtimeDir?: string;
  stateDir?: string;
}): Promise<{ status: number | null; stderr: string }> {
  const [program, ...argv] = stage.daemonCommand(options);
  const child = spawn(program!, argv, { env: stage.environment, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const log = new Log('second daemon', child.stderr);
  await Promise.race([ended, log.waitFor(/Ready/).catch(() => undefined)]);
  child.kill('SIGKILL');
  return { status: await ended, stderr: log.lines.join('\n') };
}

async function expectServing(): Promise<void> {
  const person = stage.person();
  expect((await logIn(stage, person.name, person.code(), { service: stage.service() })).rc).toBe(PAM.success);
}

describe('a second daemon', () => {
  test('refuses to start with a state directory that is in use', async () => {
    const { status, stderr } = await runDaemon({ runtimeDir: directory('run-2') });
    expect(status).toBe(EXIT_FAILED);
    expect(stderr).toBe(
      `<3>Another daemon uses the state directory ${stage.stateDir}. ` +
        'Stop it first, or start this one with another --state-dir.',
    );
    await expectServing();
  });

  test('refuses to start with a runtime directory that is in use, and leaves its sockets alone', async () => {
    const runtimeDir = directory('run-3');
    const path = `${runtimeDir}/pam.sock`;
    const fd = listenOn(path, 0o666, 1);
    try {
      const { status, stderr } = await runDaemon({ runtimeDir, stateDir: directory('state-3') });
      expect(status).toBe(EXIT_FAILED);
      expect(stderr).toContain(
        `<3>Another daemon serves ${path}. Stop it first, or start this one with another --runtime-dir.`,
      );
      expect(existsSync(path)).toBe(true);
    } finally {
      closeSync(fd);
    }
  });

  test('leaves the sockets of a daemon alone that is too busy to answer', async () => {
    const runtimeDir = directory('run-4');
    const path = `${runtimeDir}/pam.sock`;
    const fd = await listenInVain(path);
    chownSync(path, DAEMON_UID, process.getgid!());
    try {
      const { status } = await runDaemon({ runtimeDir, stateDir: directory('state-4') });
      expect(status).toBe(EXIT_FAILED);
      expect(existsSync(path)).toBe(true);
    } finally {
      closeSync(fd);
    }
  });
});

describe('SIGTERM', () => {
  test('logins in flight end as they would, new ones wait for the next daemon, nothing is lost', async () => {
    const service = stage.service();
    const inFlight = await Promise.all(
      Array.from({ length: IN_FLIGHT }, async () => {
        const person = stage.person({ period: 120 });
        const code = person.code();
        return { person, code, login: await new PamLogin(stage, person.name, { service }).asked() };
      }),
    );
    daemon.signal('SIGTERM');
    await daemon.log.waitFor(new RegExp(`Stopping: .* logins=${IN_FLIGHT}$`));
    const queued = Array.from({ length: QUEUED }, () => {
      const person = stage.person();
      return new PamLogin(stage, person.name, { service }).answer(person.code());
    });

    const [first, ...rest] = inFlight;
    expect((await first!.login.answer(first!.person.wrongCode()).end()).rc).toBe(PAM.denied);
    for (const { login, code } of rest) {
      expect((await login.answer(code).end()).rc).toBe(PAM.success);
    }
    expect(await daemon.ended).toBe(0);
    await daemon.log.waitFor(/Accepted/, IN_FLIGHT - 1);

    daemon = await stage.start();
    for (const login of queued) {
      expect((await login.end()).rc).toBe(PAM.success);
    }
    // The second daemon knows the codes that the first one used up.
    for (const { person, code } of rest) {
      expect((await logIn(stage, person.name, code, { service })).rc).toBe(PAM.denied);
      await daemon.log.waitFor(new RegExp(`for ${person.name} .* reason=code-already-used`));
    }
    // And the unused code still works.
    expect((await logIn(stage, first!.person.name, first!.code, { service })).rc).toBe(PAM.success);
  });

  test('one person who takes their time keeps nobody else waiting, and may finish', async () => {
    const service = stage.service();
    const slow = stage.person({ period: 120 });
    const login = await new PamLogin(stage, slow.name, { service }).asked();
    daemon.signal('SIGTERM');
    await daemon.log.waitFor(/Stopping: /);
    for (let other = 0; other < QUEUED; other++) {
      const person = stage.person();
      expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
    }
    expect((await login.answer(slow.code()).end()).rc).toBe(PAM.success);
    expect(await daemon.ended).toBe(0);
    daemon = await stage.start();
  });
});
