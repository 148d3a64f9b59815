/* Over a real socket that we listen on ourselves; the addon must be built. What only root may do is run by root only. */
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlServer } from '../../../src/control/control-server.ts';
import type { AddedFactor } from '../../../src/control/requests.ts';
import { Store } from '../../../src/enrolments/store/store.ts';
import { listenOn } from '../../../src/host/addon.ts';
import { InMemoryLedger } from '../fixtures/in-memory-ledger.ts';
import { asOtherUser, canActAsOther, isRoot } from '../fixtures/other-user.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
if (!isRoot) {
  console.log('control-server: not root, so what only root may do is skipped');
}

let path: string;
let server: ControlServer;
let log: RecordedLog;
let open: Socket[];

beforeEach(() => {
  const directory = makeDirectory();
  path = join(directory, 'control.sock');
  const store = new Store({ path: (relative) => join(directory, relative) });
  store.initialise();
  log = new RecordedLog();
  open = [];
  server = new ControlServer({ store, ledger: new InMemoryLedger(), log, now: Date.now });
  server.listen(listenOn(path, 0o666, 128));
});

afterEach(() => {
  vi.useRealTimers();
  open.forEach((socket) => socket.destroy());
  server.close();
});

/** The kernel notes who calls connect(), so a moment as that user is enough. */
function connected(as: 'me' | 'other' = 'me'): Socket {
  const socket = as === 'me' ? connect(path) : asOtherUser(() => connect(path));
  socket.on('error', () => undefined);
  open.push(socket);
  return socket;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

function ask(
  method: string,
  target: string,
  body?: string | Buffer,
  as: 'me' | 'other' = 'me',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connected(as);
    const outgoing = request({ createConnection: () => socket, method, path: target }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode!, text, json: JSON.parse(text) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const refused = (code: string): object => ({ error: { code, message: expect.any(String) as string } });
const factors = `/v1/users/${ME.username}/factors`;

describe.runIf(canActAsOther)('who is not root', () => {
  it.each([
    ['GET', '/v1/users'],
    ['GET', '/v1/users/root'],
    ['POST', '/v1/users/root/factors'],
    ['DELETE', '/v1/users/root/factors/phone'],
    ['GET', '/nothing'],
    ['GET', '/%'],
  ])('may not %s %s', async (method, target) => {
    const answer = await ask(method, target, undefined, 'other');
    expect(answer.status).toBe(403);
    expect(answer.json).toEqual(refused('ERR_NOT_ROOT'));
  });

  it('is not believed who says otherwise', async () => {
    const socket = connected('other');
    socket.write('GET /v1/users HTTP/1.1\r\nHost: x\r\nX-Uid: 0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('gets four connections at once, and root gets in beside them', async () => {
    const sockets = Array.from({ length: 5 }, () => connected('other'));
    await once(sockets[4]!, 'close');
    expect(sockets.slice(0, 4).every(({ closed }) => !closed)).toBe(true);
    if (isRoot) {
      expect((await ask('GET', '/v1/users')).status).toBe(200);
    }
    sockets[0]!.destroy();
    await vi.waitFor(async () => {
      expect((await ask('GET', '/v1/users', undefined, 'other')).status).toBe(403);
    });
  });
});

describe('who takes too long', () => {
  it.each(['', 'GET /v1/users HT', 'POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'])(
    'with a request that stops after %j is cut',
    async (begun) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const socket = connected();
      socket.write(begun);
      await once(socket, 'connect');
      // Until the daemon's side has the connection, and with it the timer.
      await vi.waitUntil(() => vi.getTimerCount() > 0, { timeout: 5_000 });
      // With unread bytes at the other end it is a reset; that is as good.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      await vi.advanceTimersByTimeAsync(10_001);
      await closed;
    },
  );
});

describe.runIf(isRoot)('root', () => {
  it('adds, lists and removes, and the secret is in the first answer only', async () => {
    const added = await ask('POST', factors, '{"kind":"totp","name":"pixel-7"}');
    expect(added.status).toBe(200);
    const { secret, factor } = added.json as AddedFactor;
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const later = [
      await ask('GET', '/v1/users'),
      await ask('GET', `/v1/users/${ME.username}`),
      await ask('POST', factors, '{"kind":"totp","name":"pixel-7"}'),
      await ask('DELETE', `${factors}/${factor.id}`),
      await ask('DELETE', `${factors}/${factor.id}`),
    ];
    expect(later.map(({ status }) => status)).toEqual([200, 200, 409, 200, 404]);
    expect(later.map(({ text }) => text).join() + log.text).not.toContain(secret);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v2/users'],
    ['GET', '/v1/users/root/factors'],
    ['GET', '/v1/users/root/factors/x'],
    ['PUT', '/v1/users/root'],
    ['POST', '/v1/users'],
    ['POST', '/v1/users/root/factors/x'],
    ['DELETE', '/v1/users/root'],
    ['DELETE', '/v1/users/root/factors'],
    ['DELETE', '/v1/users/root/factors/x/y'],
    ['GET', '/v1/users?x=1'],
  ])('is told that %s %s is unknown', async (method, target) => {
    const answer = await ask(method, target);
    expect(answer.status).toBe(404);
    expect(answer.json).toEqual(refused('ERR_NO_SUCH_REQUEST'));
  });

  it('is served however many of its own connections are open', async () => {
    const sockets = Array.from({ length: 70 }, () => connected());
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    expect((await ask('GET', '/v1/users')).status).toBe(200);
  });

  it('is told that a path cannot be read', async () => {
    const answer = await ask('GET', '/v1/users/%ff');
    expect([answer.status, answer.json]).toEqual([400, refused('ERR_BAD_REQUEST')]);
  });

  it.each(['', '{', 'kind=totp', '\0', '[]', '{"kind":"totp","period":1}'])(
    'is told that the body %j is wrong',
    async (body) => {
      const answer = await ask('POST', factors, body);
      expect([answer.status, answer.json]).toEqual([400, refused('ERR_BAD_REQUEST')]);
    },
  );

  it('is told that a body is too long', async () => {
    const answer = await ask('POST', factors, `{"kind":"totp","name":"${'x'.repeat(17_000)}"}`);
    expect([answer.status, answer.json]).toEqual([413, refused('ERR_BAD_REQUEST')]);
    expect((await ask('GET', '/v1/users')).json).toEqual([]);
  });

  it('has a path in percent signs read once', async () => {
    const answer = await ask('GET', '/v1/users/%252e%252e');
    expect([answer.status, answer.json]).toEqual([404, refused('ERR_NO_SUCH_USER')]);
    expect(answer.text).toContain('%2e%2e');
  });

  it('is asked to say it again by a new connection: one is one request', async () => {
    const socket = connected();
    socket.write('GET /v1/users HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n');
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
    }
    expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it.each(['garbage\r\n\r\n', 'GET /v1/users HTTP/1.1\r\nX: ', '\0\0\0\0'])(
    'that does not speak HTTP is cut: %j',
    async (bytes) => {
      const socket = connected();
      socket.write(bytes.endsWith(' ') ? bytes + 'x'.repeat(20_000) : bytes);
      socket.resume();
      await once(socket, 'close');
      expect((await ask('GET', '/v1/users')).status).toBe(200);
    },
  );
});

it('ends what is going on when it is closed', async () => {
  const socket = connected();
  await once(socket, 'connect');
  await vi.waitFor(() => {
    socket.write('GET /v1');
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const closed = once(socket, 'close');
  socket.resume();
  server.close();
  await closed;
});
