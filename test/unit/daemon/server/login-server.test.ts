/* Uses real sockets; the addon must be built. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Account, Enrolments } from '../../../../src/daemon/enrolments/enrolment.ts';
import { listenOn } from '../../../../src/host/addon.ts';
import { preciseSleep } from '../../../../src/host/precise-sleep.ts';
import { NO_RULES } from '../../../../src/daemon/login/rule-for.ts';
import { DEADLINE_GRAIN_MS } from '../../../../src/daemon/server/deadlines.ts';
import { START_DEADLINE_MS, USER_LOGINS_AT_ONCE } from '../../../../src/daemon/server/limits.ts';
import { LoginServer } from '../../../../src/daemon/server/login-server.ts';
import { encodeAnswer } from '../../../../src/daemon/wire/answer.ts';
import { encodeFrame, FRAME_TYPE, FrameReader, type Frame } from '../../../../src/daemon/wire/frame.ts';
import { encodeStart, type Start } from '../../../../src/daemon/wire/start.ts';
import { decodeVerdict, type Verdict } from '../../../../src/daemon/wire/verdict.ts';
import { UNLIMITED } from '../../../../src/daemon/attempts/attempts.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
/** Somebody else who is on every machine. */
const OTHER = ME.username === 'root' ? 'nobody' : 'root';
const RIGHT = '246813';
const me: Partial<Start> = { canonicalUser: Buffer.from(ME.username), uid: ME.uid };

let server: LoginServer;
let log: RecordedLog;
let lookedUp: Account[];
let directory: string;
let modules: Socket[];
/** How far the server's clock is ahead, in milliseconds. */
let ahead: number;

beforeEach(() => {
  directory = makeDirectory();
  log = new RecordedLog();
  lookedUp = [];
  modules = [];
  ahead = 0;
  const enrolments: Enrolments = {
    lookUp({ account }) {
      // Unknown users are enrolled here, too, which must not count.
      if (account !== undefined) {
        lookedUp.push(account);
      }
      if (account?.name === 'broken') {
        return Promise.reject(new Error('a message with the secret word'));
      }
      return Promise.resolve({
        kind: 'enrolled',
        enrolment: {
          shapes: [{ class: 'digits', length: 6 }],
          verify: ([reading]) =>
            Promise.resolve(
              reading?.text.toString() === RIGHT
                ? { kind: 'accepted', factor: 'totp:phone', reading: 0 }
                : { kind: 'rejected', reason: 'wrong-code' },
            ),
        },
      });
    },
  };
  server = new LoginServer({
    enrolments,
    rules: NO_RULES,
    attempts: UNLIMITED,
    ledger: new InMemoryLedger(),
    log,
    now: Date.now,
    monotonic: () => performance.now() + ahead,
    sleep: preciseSleep,
  });
  for (const [kind, mode] of [
    ['root', 0o600],
    ['user', 0o666],
  ] as const) {
    server.listen({ fd: listenOn(join(directory, kind), mode, 16), kind });
  }
});

afterEach(async () => {
  modules.forEach((socket) => socket.destroy());
  await server.close();
});

/** One login as the module conducts it: START, and the same answer to each question. */
class Login {
  readonly socket: Socket;
  readonly #reader = new FrameReader();
  prompts = 0;

  constructor(kind: 'root' | 'user' = 'root') {
    this.socket = connect(join(directory, kind));
    modules.push(this.socket);
  }

  start(fields: Partial<Start>, version?: number): this {
    const start = { silent: false, disallowNullAuthtok: false, moduleArguments: [], ...fields };
    this.socket.write(encodeFrame(FRAME_TYPE.start, encodeStart(start, version)));
    return this;
  }

  async verdict(code: string): Promise<Verdict | undefined> {
    for await (const chunk of this.socket) {
      for (const frame of this.#reader.push(chunk as Buffer)) {
        if (frame.type === FRAME_TYPE.verdict) {
          return decodeVerdict(frame.payload);
        }
        this.#answer(frame, code);
      }
    }
    return undefined;
  }

  #answer({ type }: Frame, code: string): void {
    if (type === FRAME_TYPE.prompt) {
      this.prompts++;
      const payload = encodeAnswer([{ shape: 0, text: Buffer.from(code) }]);
      this.socket.write(encodeFrame(FRAME_TYPE.answer, payload));
    }
  }
}

async function settled(condition: () => boolean): Promise<void> {
  for (let round = 0; round < 500 && !condition(); round++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

describe('LoginServer', () => {
  it('lets in who types the right code, and nobody else', async () => {
    expect(await new Login().start(me).verdict(RIGHT)).toMatchObject({ code: 'ok' });
    expect(await new Login().start(me).verdict('000000')).toMatchObject({ code: 'denied' });
    expect(log.text).not.toContain(RIGHT);
    await settled(() => server.logins === 0);
  });

  it('hears a START that came in time, though the daemon was paused until after the deadline', async () => {
    const login = new Login();
    await settled(() => server.logins === 1 && !login.socket.connecting);
    // From here on timers come first.
    await setImmediate();
    login.start(me);
    ahead = START_DEADLINE_MS;
    const begun = performance.now();
    while (performance.now() - begun <= 2 * DEADLINE_GRAIN_MS);
    expect(await login.verdict(RIGHT)).toMatchObject({ code: 'ok' });
  });

  it('takes the name and uid of the passwd entry, and no other name', async () => {
    const start: Partial<Start> = {
      user: Buffer.from('other'),
      canonicalUser: Buffer.from('someone'),
      uid: 77,
    };
    await new Login().start(start).verdict(RIGHT);
    expect(lookedUp).toEqual([{ name: 'someone', uid: 77 }]);
  });

  it.each<[string, Partial<Start>]>([
    ['no canonical name', { user: Buffer.from('alice'), uid: 5 }],
    ['an empty one', { canonicalUser: Buffer.alloc(0), uid: 5 }],
    ['no uid', { canonicalUser: Buffer.from('alice') }],
    ['a name that is no UTF-8', { canonicalUser: Buffer.from('ff61', 'hex'), uid: 5 }],
  ])('asks a user with %s, and accepts nobody', async (_name, start) => {
    const login = new Login();
    expect(await login.start(start).verdict(RIGHT)).toMatchObject({ code: 'user-unknown' });
    expect(login.prompts).toBe(1);
    expect(lookedUp).toEqual([]);
  });

  it('changes no name: a byte order mark belongs to it', async () => {
    await new Login().start({ canonicalUser: Buffer.from('\ufeffroot'), uid: 5 }).verdict(RIGHT);
    expect(lookedUp).toEqual([{ name: '\ufeffroot', uid: 5 }]);
  });

  it("serves only the own account on the users' socket, and logs no claimed rhost", async () => {
    const rhost = Buffer.from('198.51.100.9');
    expect(await new Login('user').start({ ...me, rhost }).verdict(RIGHT)).toMatchObject({ code: 'ok' });
    const other = { ...me, uid: ME.uid + 1, canonicalUser: Buffer.from(OTHER) };
    const login = new Login('user');
    expect(await login.start(other).verdict(RIGHT)).toMatchObject({ code: 'user-unknown' });
    expect(login.prompts).toBe(1);
    expect(lookedUp).toEqual([{ name: ME.username, uid: ME.uid }]);
    expect(log.text).not.toContain('198.51.100.9');
  });

  it('takes the uid from the kernel, not from START', async () => {
    await new Login('user').start({ ...me, uid: 12_345 }).verdict(RIGHT);
    expect(lookedUp).toEqual([{ name: ME.username, uid: ME.uid }]);
  });

  it('tells a module of another version that it is not served', async () => {
    expect(await new Login().start(me, 2).verdict(RIGHT)).toMatchObject({ code: 'unavailable' });
    expect(log.text).toContain('protocol version 2');
  });

  it('answers the health check, and logs nothing of it', async () => {
    expect(await new Login().start({}, 0).verdict(RIGHT)).toMatchObject({ code: 'unavailable' });
    await settled(() => server.logins === 0);
    expect(log.events).toEqual([]);
  });

  it('logs only so much of what one uid does on the socket for everybody', async () => {
    const logins = 40;
    for (let round = 0; round < logins; round++) {
      await new Login('user').start(me, 2).verdict(RIGHT);
    }
    await settled(() => server.logins === 0);
    expect(log.text).toContain('the rest of this minute is not logged');
    expect(log.events.length).toBeLessThan(logins);
    expect(await new Login('root').start(me, 3).verdict(RIGHT)).toMatchObject({ code: 'unavailable' });
    expect(log.text).toContain('protocol version 3');
  });

  it('cuts the connection of who breaks the protocol, without a verdict', async () => {
    const login = new Login();
    login.socket.write(
      encodeFrame(FRAME_TYPE.answer, encodeAnswer([{ shape: 0, text: Buffer.from(RIGHT) }])),
    );
    expect(await login.verdict(RIGHT)).toBeUndefined();
    await settled(() => log.text.includes('The module broke the protocol'));
    expect(log.text).not.toContain(RIGHT);
  });

  it('lets nobody in after an unexpected error, and does not log its message', async () => {
    const login = new Login().start({ canonicalUser: Buffer.from('broken'), uid: 5 });
    expect(await login.verdict(RIGHT)).toMatchObject({ code: 'unavailable' });
    expect(log.text).toContain('A login failed for an unexpected reason');
    expect(log.text).not.toContain('secret word');
  });

  it('gives one uid eight places on the socket for everybody', async () => {
    const waiting = Array.from({ length: 8 }, () => new Login('user'));
    await Promise.all(waiting.map(({ socket }) => once(socket, 'connect')));
    await settled(() => server.logins === 8);
    // It is refused before it has said anything.
    expect(await new Login('user').verdict(RIGHT)).toMatchObject({ code: 'unavailable' });
    expect(await new Login('root').start(me).verdict(RIGHT)).toMatchObject({ code: 'ok' });
    waiting.forEach(({ socket }) => socket.destroy());
    await settled(() => server.logins === 0);
  });

  it.runIf(ME.uid === 0)('turns a uid away that comes too often, and nobody else', async () => {
    chmodSync(directory, 0o755);
    const visits = USER_LOGINS_AT_ONCE + 50;
    const visitor = `
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for _ in range(${visits}):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.shutdown(socket.SHUT_WR)
    while s.recv(64): pass
    s.close()`;
    await promisify(execFile)('python3', ['-c', visitor, join(directory, 'user')]);
    const turnedAway = log.events.filter(({ message }) => message.includes('too many in a row'));
    expect(turnedAway.length).toBeGreaterThan(0);
    expect(turnedAway[0]?.fields).toEqual({ uid: 65534 });
    expect(await new Login('user').start(me).verdict(RIGHT)).toMatchObject({ code: 'ok' });
  });

  it('waits at shutdown for the logins in flight', async () => {
    const login = new Login().start(me);
    await settled(() => server.logins === 1);
    const closed = server.close();
    expect(await login.verdict(RIGHT)).toMatchObject({ code: 'ok' });
    await closed;
    expect(server.logins).toBe(0);
  });
});
