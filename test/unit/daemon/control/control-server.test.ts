/* Uses a real socket; the addon must be built. Tests of root's requests run only as root. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlServer } from '../../../../src/daemon/control/control-server.ts';
import type { Changed, UserView } from '../../../../src/contracts/control-requests.ts';
import { decodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { listenOn } from '../../../../src/host/addon.ts';
import { controlPorts, type TestPorts } from '../../fixtures/control-ports.ts';
import { asOtherUser, canActAsOther, isRoot, OTHER_UID } from '../../fixtures/other-user.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ME = userInfo();
if (!isRoot) {
  console.log('control-server: not root, so what only root may do is skipped');
}

let path: string;
let server: ControlServer;
let ports: TestPorts;
let open: Socket[];

beforeEach(() => {
  const directory = makeDirectory();
  path = join(directory, 'control.sock');
  ports = controlPorts(directory);
  open = [];
  server = new ControlServer(ports);
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
        resolve({ status: response.statusCode!, text, json: jsonOf(text, response.headers['content-type']) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** A list has a line for each entry. */
function jsonOf(text: string, type: string | undefined): unknown {
  return type === 'application/x-ndjson'
    ? text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as unknown]))
    : JSON.parse(text);
}

const refused = (code: string): object => ({ error: { code, message: expect.any(String) as string } });
const changes = `/v1/users/${ME.username}/changes`;
const adding = (factor: object): string => JSON.stringify({ changes: [{ do: 'add', factor }] });

/** Debian's "nobody". */
function lookUpOther(): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((candidate) => candidate.split(':')[2] === String(OTHER_UID));
  return line?.split(':')[0] ?? 'nobody';
}

const codeNow = (secret: Buffer): string =>
  hotpValue({ secret, algorithm: 'sha1', digits: 6 }, Math.floor(Date.now() / 30_000)).toString();

describe.runIf(canActAsOther)('a caller other than root', () => {
  const own = lookUpOther();

  it.each(['root', 'no-such-user-here', '', '%00', 'x'.repeat(300), '..', 'Nobody'])(
    'gets the same answer to every request about %s',
    async (user) => {
      const answers = [
        await ask('GET', `/v1/users/${user}`, undefined, 'other'),
        await ask('POST', `/v1/users/${user}/changes`, adding({ kind: 'totp' }), 'other'),
        await ask('POST', `/v1/users/${user}/unlock`, '{}', 'other'),
        await ask('POST', `/v1/users/${user}/factors/phone/show`, '{}', 'other'),
      ];
      const [first] = answers;
      expect(first!.json).toEqual({
        error: {
          code: 'ERR_NOT_ALLOWED',
          message: 'You can do that only for yourself, and root for everybody: try again with sudo',
        },
      });
      expect(answers.map(({ status, text }) => [status, text])).toEqual(
        answers.map(() => [403, first!.text]),
      );
      expect(ports.store.empty).toBe(true);
    },
  );

  it('may not forget where a file was', async () => {
    const answer = await ask('POST', '/v1/users/root/forget', undefined, 'other');
    expect([answer.status, answer.json]).toEqual([403, refused('ERR_NOT_ROOT')]);
  });

  it('may not rename a user', async () => {
    const answer = await ask('POST', '/v1/users/root/rename', JSON.stringify({ to: own }), 'other');
    expect([answer.status, answer.json]).toEqual([403, refused('ERR_NOT_ROOT')]);
  });

  it("may not ask for the daemon's health", async () => {
    const answer = await ask('GET', '/v1/health', undefined, 'other');
    expect([answer.status, answer.json]).toEqual([403, refused('ERR_NOT_ROOT')]);
  });

  it('may not repair', async () => {
    const answer = await ask('POST', '/v1/ledger/repair', undefined, 'other');
    expect([answer.status, answer.json]).toEqual([403, refused('ERR_NOT_ROOT')]);
  });

  it('sees itself only', async () => {
    ports.store.write({ user: 'root', uid: 0, factors: [] });
    const listed = (await ask('GET', '/v1/users', undefined, 'other')).json;
    expect(listed).toEqual([
      { user: own, uid: OTHER_UID, factors: [], enrolled: 'none', lockedUntil: null },
    ] satisfies UserView[]);
    expect((await ask('GET', `/v1/users/${own}`, undefined, 'other')).json).toEqual((listed as unknown[])[0]);
  });

  it('enrols itself, and from then on proves that it has a factor', async () => {
    const target = `/v1/users/${own}/changes`;
    const first = await ask('POST', target, adding({ kind: 'totp', name: 'phone' }), 'other');
    expect(first.status).toBe(200);
    const { secret } = (first.json as Changed).added[0]!;
    const second = await ask('POST', target, adding({ kind: 'totp' }), 'other');
    expect([second.status, second.json]).toEqual([401, refused('ERR_PROOF_NEEDED')]);
    const body = {
      changes: [{ do: 'remove', factor: 'phone' }],
      proof: codeNow(decodeBase32(secret!)!),
    };
    const third = await ask('POST', target, JSON.stringify(body), 'other');
    expect(third.json).toMatchObject({ added: [], view: { factors: [], enrolled: 'none' } });
    expect(ports.store.empty).toBe(true);
  });

  it('cannot fill the log', async () => {
    ports.store.write({ user: own, uid: OTHER_UID, factors: [] });
    for (let time = 0; time < 40; time++) {
      await ask('POST', `/v1/users/${own}/changes`, adding({ kind: 'totp' }), 'other');
    }
    expect(ports.log.events).toHaveLength(31);
  });

  it('cannot claim another identity', async () => {
    const socket = connected('other');
    ports.store.write({ user: 'root', uid: 0, factors: [] });
    socket.write('GET /v1/users HTTP/1.1\r\nHost: x\r\nX-Uid: 0\r\nX-Forwarded-For: 127.0.0.1\r\n\r\n');
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    expect(chunk.toString()).not.toContain('"user":"root"');
    expect(chunk.toString()).toContain(`"uid":${OTHER_UID}`);
  });

  it('gets four connections at once, and root gets in beside them', async () => {
    const sockets = Array.from({ length: 5 }, () => connected('other'));
    const [told] = (await once(sockets[4]!, 'data')) as [Buffer];
    expect(told.toString()).toMatch(/^HTTP\/1\.1 503 [^]*ERR_BUSY/);
    await once(sockets[4]!, 'close');
    expect(sockets.slice(0, 4).every(({ closed }) => !closed)).toBe(true);
    if (isRoot) {
      expect((await ask('GET', '/v1/users')).status).toBe(200);
    }
    sockets[0]!.destroy();
    await vi.waitFor(async () => {
      expect((await ask('GET', '/v1/users', undefined, 'other')).status).toBe(200);
    });
  });
});

describe('a slow caller', () => {
  it.each(['', 'GET /v1/users HT', 'POST /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{'])(
    'with a request that stops after %j is cut',
    async (begun) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const socket = connected();
      socket.write(begun);
      await once(socket, 'connect');
      // Waits until the daemon has accepted the connection, and started its timer.
      await vi.waitUntil(() => vi.getTimerCount() > 0, { timeout: 5_000 });
      // If the other end has unread bytes, this is a reset, which is fine, too.
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.resume();
      await vi.advanceTimersByTimeAsync(15_001);
      await closed;
    },
  );
});

describe.runIf(isRoot)('root', () => {
  it('adds, lists, shows and removes; only the requested answers contain the secret', async () => {
    const added = await ask('POST', changes, adding({ kind: 'totp', name: 'pixel-7' }));
    expect(added.status).toBe(200);
    const { secret, factor } = (added.json as Changed).added[0]!;
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const remove = JSON.stringify({ changes: [{ do: 'remove', factor: factor.id }] });
    const shown = await ask('POST', `/v1/users/${ME.username}/factors/pixel-7/show`, '{}');
    expect(shown.json).toMatchObject({ secret });
    const later = [
      await ask('GET', '/v1/users'),
      await ask('GET', `/v1/users/${ME.username}`),
      await ask('POST', changes, adding({ kind: 'totp', name: 'pixel-7' })),
      await ask('POST', `/v1/users/${ME.username}/unlock`, '{}'),
      await ask('POST', changes, remove),
      await ask('POST', changes, remove),
    ];
    expect(later.map(({ status }) => status)).toEqual([200, 200, 409, 200, 200, 404]);
    expect(later.map(({ text }) => text).join() + ports.log.text).not.toContain(secret);
  });

  it.each([
    ['GET', '/'],
    ['GET', '/v1'],
    ['GET', '/v2/users'],
    ['GET', '/v1/users/root/factors'],
    ['GET', '/v1/users/root/factors/x/show'],
    ['PUT', '/v1/users/root'],
    ['POST', '/v1/users'],
    ['POST', '/v1/users/root/factors'],
    ['POST', '/v1/users/root/changes/x'],
    ['POST', '/v1/users/root/factors/x/show/y'],
    ['DELETE', '/v1/users/root/factors/x'],
    ['GET', '/v1/ledger/repair'],
    ['POST', '/v1/ledger/repair/x'],
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

  it.each(['', '{', 'kind=totp', '\0', '[]', adding({ kind: 'totp', period: 1 })])(
    'is told that the body %j is wrong',
    async (body) => {
      const answer = await ask('POST', changes, body);
      expect([answer.status, answer.json]).toEqual([400, refused('ERR_BAD_REQUEST')]);
    },
  );

  it('is told that a body is too long', async () => {
    const answer = await ask('POST', changes, adding({ kind: 'totp', name: 'x'.repeat(17_000) }));
    expect([answer.status, answer.json]).toEqual([413, refused('ERR_BAD_REQUEST')]);
    expect((await ask('GET', '/v1/users')).json).toEqual([]);
  });

  it('has its path percent-decoded once', async () => {
    const answer = await ask('GET', '/v1/users/%252e%252e');
    expect([answer.status, answer.json]).toEqual([404, refused('ERR_NO_SUCH_USER')]);
    expect(answer.text).toContain('%2e%2e');
  });

  it('is cut when one connection says more than one request, and none is begun', async () => {
    const socket = connected();
    socket.write('GET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_700));
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    await once(socket, 'close');
    expect(text).toBe('');
    expect((await ask('GET', '/v1/users')).status).toBe(200);
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
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }); // else its time would end it, too
  const socket = connected();
  socket.write(`POST /v1/users/${ME.username}/changes HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n`);
  await once(socket, 'connect');
  await vi.waitUntil(() => vi.getTimerCount() > 0, { timeout: 5_000 });
  // If the other end has unread bytes, this is a reset, which is fine, too.
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  server.close();
  await closed;
});
