import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { encodeAnswer } from '../../../src/daemon/wire/answer.ts';
import { encodeFrame, FRAME_TYPE } from '../../../src/daemon/wire/frame.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { Log } from '../harness/log.ts';
import { run } from '../harness/run.ts';
import { ModuleSocket, startFrame } from './module-socket.ts';
import { logIn, PAM, PamLogin } from './pam-login.ts';
import {
  asUser,
  AS_ROOT,
  FULL,
  notRun,
  PYTHON,
  Stage,
  STRANGER_UID,
  type Daemon,
  type Person,
} from './stage.ts';

const MAX_LOGINS = 512;
const LOCAL_RESERVE = 8;
const MAX_USER_LOGINS_PER_UID = 8;
const START_DEADLINE_MS = 5_000;
/** Finds a daemon that waits for ever. A busy machine may be very late. */
const LATE_MS = 60_000;
/** A little less than what a shutdown waits for a person. */
const SHUTDOWN_GRACE_MS = 14_000;
const FRAMES = FULL ? 1_000_000 : 200_000;
const WARM_UP_FRAMES = 40_000;
const MAX_GROWTH_KIB = 64 * 1024;
const LOGINS_DURING_FLOOD = 10;

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-20).join('\n')}`);
  }
});
afterAll(() => stage.clear());

/** The frame that the module would send for a person. */
function startOf({ name, uid }: Person, rhost?: string): Buffer {
  const bytes = Buffer.from(name);
  return startFrame({
    service: Buffer.from('limits'),
    user: bytes,
    canonicalUser: bytes,
    uid,
    ...(rhost === undefined ? {} : { rhost: Buffer.from(rhost) }),
  });
}

function answerFrame(code: string): Buffer {
  return encodeFrame(FRAME_TYPE.answer, encodeAnswer([{ shape: 0, text: Buffer.from(code) }]));
}

/** A login that has been asked, and waits for its person. */
async function waiting(start: Buffer, socket: 'pam' | 'user' = 'pam'): Promise<ModuleSocket> {
  const login = await ModuleSocket.connect(stage.socket(socket));
  expect((await login.send(start).next())?.type).toBe(FRAME_TYPE.prompt);
  return login;
}

async function manyWaiting(count: number, start: Buffer): Promise<ModuleSocket[]> {
  const logins: ModuleSocket[] = [];
  while (logins.length < count) {
    logins.push(await waiting(start)); // one after the other: the first is the oldest
  }
  return logins;
}

async function closeAll(logins: readonly ModuleSocket[]): Promise<void> {
  await Promise.all(logins.map((login) => login.close()));
}

async function expectServing(): Promise<void> {
  const person = stage.person();
  expect((await logIn(stage, person.name, person.code(), { service: stage.service() })).rc).toBe(PAM.success);
}

/** Connections without a person do not delay a shutdown. One of them may be just receiving its verdict. */
async function expectNobodyLeft(): Promise<void> {
  const began = performance.now();
  expect(await daemon.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(SHUTDOWN_GRACE_MS);
  expect(daemon.log.matching(/Stopping: .* logins=[01]$/)).toHaveLength(1);
  expect(daemon.log.matching(/unexpected/)).toEqual([]);
  daemon = await stage.start();
}

describe('places', () => {
  test(`with ${MAX_LOGINS} logins that wait for a person, the next one works, and the oldest goes`, async () => {
    const service = stage.service();
    const logins = await manyWaiting(MAX_LOGINS, startOf(stage.person()));
    const next = stage.person();
    const login = await new PamLogin(stage, next.name, { service }).asked();
    expect(await logins[0]!.verdict()).toBe('unavailable');
    expect((await login.answer(next.code()).end()).rc).toBe(PAM.success);
    expect(logins.slice(1).filter(({ stirred }) => stirred)).toEqual([]);
    await daemon.log.waitFor(/this one has waited longest/);
    await closeAll(logins);
  });

  test('remote logins leave some places to local terminals', async () => {
    const person = stage.person();
    const locals = await manyWaiting(1, startOf(person));
    const remotes = await manyWaiting(MAX_LOGINS - LOCAL_RESERVE, startOf(person, '192.0.2.1'));
    const lateRemote = await waiting(startOf(person, '192.0.2.2'));
    expect(await remotes[0]!.verdict()).toBe('unavailable');
    const lateLocals = await manyWaiting(LOCAL_RESERVE - 1, startOf(person));
    const stirred = [...locals, ...remotes.slice(1), lateRemote, ...lateLocals].filter((one) => one.stirred);
    expect(stirred).toEqual([]);
    await closeAll([...locals, ...remotes, lateRemote, ...lateLocals]);
  });

  test(`one uid has ${MAX_USER_LOGINS_PER_UID} places at the socket for everybody`, async () => {
    const start = startOf(stage.person());
    const logins: ModuleSocket[] = [];
    while (logins.length < MAX_USER_LOGINS_PER_UID) {
      logins.push(await waiting(start, 'user'));
    }
    const oneMore = await ModuleSocket.connect(stage.socket('user'));
    expect(await oneMore.verdict()).toBe('unavailable');
    expect(logins.filter(({ stirred }) => stirred)).toEqual([]);
    await closeAll([...logins, oneMore]);
  });

  test('a flood at the socket for everybody does not disturb the logins of root', async () => {
    if (!AS_ROOT) {
      notRun('a flood by another user', 'this needs root');
      return;
    }
    const stranger = stage.person({ uid: STRANGER_UID });
    // The checkout may be closed to the stranger.
    const program = readFileSync(`${CHECKOUT}/test/e2e/daemon/flood.py`, 'utf8');
    const argv = [
      ...asUser(STRANGER_UID),
      ...[PYTHON, '-c', program, stage.socket('user'), startOf(stranger).toString('hex')],
    ];
    const flood = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    const ended = new Promise((resolve) => flood.on('close', resolve));
    const said = new Log('flood', flood.stdout);
    await said.waitFor(/^\.$/);
    const service = stage.service();
    for (let count = 0; count < LOGINS_DURING_FLOOD; count += 1) {
      const person = stage.person();
      // If it had no place, it would wait longer than the module does.
      expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
    }
    flood.stdin.end('\n');
    expect(await ended).toBe(0);
    expect(Number(said.lines[1])).toBeGreaterThan(MAX_LOGINS);
    await daemon.log.waitFor(/A login is refused: too many at once socket=user uid=65534/);
  });
});

describe('modules that do not keep to the protocol', () => {
  test('without START the connection is closed after five seconds', async () => {
    const start = startOf(stage.person());
    const silent = await Promise.all(
      [Buffer.alloc(0), start.subarray(0, 1), start.subarray(0, -1)].map(async (bytes) => {
        const began = performance.now();
        const login = (await ModuleSocket.connect(stage.socket('pam'))).send(bytes);
        const verdict = await login.verdict();
        await login.next();
        return { verdict, ms: performance.now() - began };
      }),
    );
    for (const { verdict, ms } of silent) {
      expect(verdict).toBe('unavailable');
      expect(ms).toBeGreaterThan(START_DEADLINE_MS - 50);
      expect(ms).toBeLessThan(START_DEADLINE_MS + LATE_MS);
    }
  });

  test('a connection may end at any point', async () => {
    const person = stage.person();
    const start = startOf(person, '192.0.2.1');
    for (let length = 0; length <= start.length; length += 1) {
      const login = await ModuleSocket.connect(stage.socket('pam'));
      await login.send(start.subarray(0, length)).close();
    }
    const answer = answerFrame(person.wrongCode());
    for (let length = 0; length <= answer.length; length += 1) {
      const login = await waiting(start);
      await login.send(answer.subarray(0, length)).close();
    }
    await expectServing();
    await expectNobodyLeft();
  });

  test('a code that was given before the connection ended is used up at most once', async () => {
    const person = stage.person({ period: 120 });
    const code = person.code();
    const login = await waiting(startOf(person));
    await login.send(answerFrame(code)).close();
    await daemon.log.waitFor(new RegExp(` ${person.name} `));
    const { rc } = await logIn(stage, person.name, code, { service: stage.service() });
    const accepted = daemon.log.matching(new RegExp(`Accepted .* ${person.name} `)).length;
    expect(accepted).toBe(rc === PAM.success ? 1 : accepted);
    expect(accepted).toBeLessThanOrEqual(1);
  });

  test(
    `${FRAMES} random frames: it goes on serving, and keeps no memory`,
    { timeout: FULL ? 600_000 : 150_000 },
    async () => {
      const person = stage.person();
      const seed = Math.floor(Math.random() * 1e9);
      console.log(`${FRAMES} random frames, seed ${seed}`);
      const send = async (frames: number, from: number): Promise<void> => {
        const { status, stderr } = await run([
          ...[PYTHON, `${CHECKOUT}/test/e2e/daemon/random-frames.py`, stage.socket('pam')],
          ...[String(frames), String(from), person.name, String(person.uid)],
        ]);
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      };
      await send(WARM_UP_FRAMES, seed);
      const before = residentKib(daemon.pid);
      await send(FRAMES - WARM_UP_FRAMES, seed + 1);
      await expectServing();
      const growth = residentKib(daemon.pid) - before;
      console.log(`memory: ${before} KiB, grown by ${growth} KiB`);
      expect(growth).toBeLessThan(MAX_GROWTH_KIB);
      const errors = daemon.log.matching(/^<[0-3]>/);
      expect(errors.length).toBeGreaterThan(FRAMES / 100);
      const known =
        /^<3>(The module broke the protocol|A module speaks protocol version|Unrecognized option)[ :]/;
      expect(errors.filter((line) => !known.test(line)).slice(0, 5)).toEqual([]);
      expect(daemon.log.matching(new RegExp(`Accepted .* ${person.name} `))).toEqual([]);
      await expectNobodyLeft();
    },
  );
});

function residentKib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}
