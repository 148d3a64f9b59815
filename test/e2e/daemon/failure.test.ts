import { closeSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listenOn } from '../../../src/host/addon.ts';
import { logIn, PAM, PamLogin, type LoginEnd } from './pam-login.ts';
import { listenInVain } from './listen-in-vain.ts';
import { Stage, type Person } from './stage.ts';

/*
 * What a host gets from a faulty daemon: the module's return values within its deadlines, and an unchanged host process. All
 * logins wait at the same time.
 */

/** Finds a module that waits for ever. A busy machine may be very late. */
const LATE_MS = 60_000;
/** The module does not try again 20 ms before the end, and its clock has whole milliseconds. */
const EARLY_MS = 50;
const CONNECT_MS = 2_000;
const FIRST_FRAME_MS = 5_000;
const ANSWERED_MS = 15_000;
const SHUTDOWN_GRACE_MS = 15_000;
const WITHOUT_WAITING = 0;

/** Frames that no daemon sends: length, type, payload. */
const GARBAGE = {
  'an empty frame': '0000',
  'a frame that is too long': '4000',
  'an unknown type': '000199',
  'a type that only the module sends': '00020301',
  'a PROMPT that ends in the middle': '000481000001',
  'a VERDICT with bytes left over': '00088301ff0000000000',
  'a VERDICT with an unknown code': '000783f1ff00000000',
  'a VERDICT with a delay of an hour': '000783 00 ff d693a400'.replaceAll(' ', ''),
  'a web page': Buffer.from('HTTP/1.1 200 OK\r\n\r\n').toString('hex'),
};

let stage: Stage;
let person: Person;
const others: Stage[] = [];
const servers: Server[] = [];
const fds: number[] = [];

beforeAll(async () => {
  stage = await Stage.build();
  await stage.start();
  person = stage.person();
});
afterAll(async () => {
  servers.forEach((server) => server.close());
  fds.forEach((fd) => closeSync(fd));
  await Promise.all([stage, ...others].map((one) => one.clear()));
});

async function anotherStage(): Promise<Stage> {
  const another = await Stage.build();
  others.push(another);
  return another;
}

function expectEnd({ rc, ms, host }: LoginEnd, wanted: number, afterMs: number): void {
  expect(rc).toBe(wanted);
  expect(ms).toBeGreaterThanOrEqual(afterMs - EARLY_MS);
  expect(ms).toBeLessThan(afterMs + LATE_MS);
  expectUnharmed(host);
}

/** Descriptors, threads, children, signals and alarm are as they were. */
function expectUnharmed(host: LoginEnd['host']): void {
  expect(host).toHaveLength(2);
  expect(host[1]).toEqual(host[0]);
}

/** Both services get the same result: `nullok` lets nobody in while enrolments are unknown. */
async function expectBoth(socket: string, wanted: number, afterMs = WITHOUT_WAITING): Promise<void> {
  const ends = await Promise.all(
    [[], ['nullok']].map((args) =>
      logIn(stage, person.name, person.code(), { service: stage.service(`socket=${socket}`, ...args) }),
    ),
  );
  ends.forEach((end) => expectEnd(end, wanted, afterMs));
}

/** A fake daemon that sends anything. */
function serve(name: string, onConnection: (socket: Socket) => void): Promise<string> {
  const path = `${stage.dir}/${name}.sock`;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  servers.push(server);
  return new Promise((resolve) => server.listen(path, () => resolve(path)));
}

describe.concurrent('a faulty daemon', () => {
  test('no socket: it is not there', () => expectBoth(`${stage.dir}/missing.sock`, PAM.authInfoUnavailable));

  test('a socket that nobody listens on: it is not there', async () => {
    const path = `${stage.dir}/stale.sock`;
    closeSync(listenOn(path, 0o600, 1));
    await expectBoth(path, PAM.authInfoUnavailable);
  });

  test('a full backlog', async () => {
    const path = `${stage.dir}/full.sock`;
    fds.push(await listenInVain(path));
    await expectBoth(path, PAM.systemError, CONNECT_MS);
  });

  test('hung before it was asked', async () => {
    const hung = await anotherStage();
    const daemon = await hung.start();
    daemon.signal('SIGSTOP');
    await expectBoth(hung.socket('pam'), PAM.systemError, FIRST_FRAME_MS);
    daemon.signal('SIGCONT');
    const well = hung.person();
    expect((await logIn(hung, well.name, well.code(), { service: hung.service() })).rc).toBe(PAM.success);
  });

  test('hung while somebody types', async () => {
    const hung = await anotherStage();
    const daemon = await hung.start();
    const typing = hung.person();
    const login = await new PamLogin(hung, typing.name, { service: hung.service() }).asked();
    daemon.signal('SIGSTOP');
    expectEnd(await login.answer(typing.code()).end(), PAM.systemError, ANSWERED_MS);
  });

  test('killed while somebody types', async () => {
    const killed = await anotherStage();
    const daemon = await killed.start();
    const typing = killed.person();
    const login = await new PamLogin(killed, typing.name, { service: killed.service() }).asked();
    await daemon.stop('SIGKILL');
    expectEnd(await login.answer(typing.code()).end(), PAM.systemError, WITHOUT_WAITING);
  });

  test('accepts and says nothing', async () => {
    const path = await serve('silent', (socket) => socket.resume());
    await expectBoth(path, PAM.systemError, FIRST_FRAME_MS);
  });

  test('accepts and hangs up', async () => {
    const path = await serve('rude', (socket) => socket.on('data', () => socket.end()));
    await expectBoth(path, PAM.systemError);
  });

  test.for(Object.entries(GARBAGE))('says garbage: %s', async ([name, hex]) => {
    const path = await serve(name.replaceAll(' ', '-'), (socket) => {
      socket.on('data', () => socket.write(Buffer.from(hex, 'hex')));
    });
    await expectBoth(path, PAM.serviceError);
  });

  test('shuts down while somebody types for too long: nobody gets in, and it ends well', async () => {
    const closing = await anotherStage();
    const daemon = await closing.start();
    const slow = closing.person();
    const login = await new PamLogin(closing, slow.name, { service: closing.service() }).asked();
    const began = performance.now();
    expect(await daemon.stop()).toBe(0);
    const ms = performance.now() - began;
    expect(ms).toBeGreaterThanOrEqual(SHUTDOWN_GRACE_MS - EARLY_MS);
    expect(ms).toBeLessThan(SHUTDOWN_GRACE_MS + LATE_MS);
    expectEnd(await login.answer(slow.code()).end(), PAM.systemError, WITHOUT_WAITING);
  });
});

describe('a state directory without a store', () => {
  test.for([
    ['empty, as when its file system is not mounted', []],
    ['with something else in it', ['photos']],
  ] as const)('%s: nobody gets in, also with nullok, and the log says why', async ([, directories]) => {
    const unmounted = await anotherStage();
    directories.forEach((name) => mkdirSync(`${unmounted.stateDir}/${name}`));
    const daemon = await unmounted.start('--require-state');
    const somebody = unmounted.person({ enrolled: false });
    for (const args of [[], ['nullok']]) {
      const end = await logIn(unmounted, somebody.name, somebody.code(), {
        service: unmounted.service(...args),
      });
      expectEnd(end, PAM.systemError, WITHOUT_WAITING);
    }
    const [alert] = await daemon.log.waitFor(/^<1>.*holds no store: is its file system mounted\?/);
    expect(alert).toContain(unmounted.stateDir);
    await daemon.log.waitFor(new RegExp(`^<3>Cannot check .* for ${somebody.name} .*reason=unavailable`), 2);
    expect(await daemon.stop()).toBe(0);
  });

  test('that had one: no new store is made, and nobody counts as not enrolled', async () => {
    const lost = await anotherStage();
    const first = await lost.start();
    const enrolled = lost.person();
    const options = { service: lost.service('nullok') };
    expect((await logIn(lost, enrolled.name, enrolled.code(), options)).rc).toBe(PAM.success);
    expect(await first.stop()).toBe(0);
    lost.forgetState();
    writeFileSync(`${lost.stateDir}/something`, '');
    const second = await lost.start();
    expect((await logIn(lost, enrolled.name, enrolled.code(1), options)).rc).toBe(PAM.systemError);
    await second.log.waitFor(/^<1>.*holds no store/);
  });
});
