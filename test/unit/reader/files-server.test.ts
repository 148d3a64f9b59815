/* Server and client over a real socket, with our own files; the addon must be built. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect, createServer as createListener, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FilesClient } from '../../../src/daemon/enrolments/home/file-access.ts';
import { ProxmoxFilesClient } from '../../../src/daemon/enrolments/proxmox/proxmox-files.ts';
import { FilesServer } from '../../../src/reader/files-server.ts';
import { listenOn } from '../../../src/host/addon.ts';
import { RecordedLog } from '../fixtures/recorded-log.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const { username: user, uid, gid } = userInfo();

let directory: string;
let path: string;
let socket: string;
let log: RecordedLog;
let server: FilesServer;
let client: FilesClient;

beforeEach(() => {
  directory = makeDirectory();
  path = join(directory, 'file');
  socket = join(directory, 'files.sock');
  writeFileSync(path, 'SECRET7\n');
  log = new RecordedLog();
  server = new FilesServer(uid, log, () => 0, proxmox());
  client = new FilesClient(directory);
});
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

const proxmox = (): { pve: string; pbs: string } => ({
  pve: join(directory, 'pve'),
  pbs: join(directory, 'pbs'),
});
const serve = (): void => server.listen(listenOn(socket, 0o600, 128));
const read = (of = path): ReturnType<FilesClient['read']> =>
  client.read({ ...{ user, uid, gid }, path: of, maxBytes: 65_536 });
const replace = (expected: string, contents: string | Buffer): ReturnType<FilesClient['replace']> =>
  client.replace({
    user,
    uid,
    gid,
    path,
    expected: Buffer.from(expected),
    contents: Buffer.from(contents),
  });

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
}

function ask(method: string, target: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: socket, method, path: target }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('FilesServer and FilesClient', () => {
  it('read and replace a file', async () => {
    serve();
    expect(await read()).toMatchObject({ kind: 'read', contents: Buffer.from('SECRET7\n'), symlink: false });
    const largest = Buffer.alloc(65_536, 'A\0\xFF');
    expect(await replace('SECRET7\n', largest)).toMatchObject({
      kind: 'replaced',
      file: { mode: 0o400, uid },
    });
    expect(readFileSync(path)).toEqual(largest);
    expect(await read()).toMatchObject({ kind: 'read', contents: largest });
    expect(log.events).toEqual([]);
  });

  it('say what else there is', async () => {
    serve();
    expect(await read(join(directory, 'none'))).toMatchObject({ kind: 'missing', symlink: false });
    expect(await read(join(directory, 'none/none'))).toMatchObject({ kind: 'missing', directory: null });
    expect(await read(directory)).toEqual({ kind: 'unfit', why: 'not-regular' });
    expect(await replace('SOMETHING', 'NEXT')).toEqual({ kind: 'changed' });
    expect(log.events).toEqual([]);
    expect(await read(join(path, 'none'))).toEqual({ kind: 'failed', step: 'directory', code: 'ENOTDIR' });
    expect(log.text).toMatch(/^A file failed user=.* step=directory code=ENOTDIR$/);
  });

  it('read the files of Proxmox, and no others', async () => {
    serve();
    const files = new ProxmoxFilesClient(directory);
    expect(await files.read('pve')).toMatchObject({
      kind: 'files',
      files: { 'priv/tfa.cfg': { kind: 'missing', directory: false } },
    });
    mkdirSync(join(directory, 'pve/priv'), { recursive: true });
    writeFileSync(join(directory, 'pve/priv/tfa.cfg'), '{}');
    writeFileSync(join(directory, 'pve/user.cfg'), '');
    symlinkSync(path, join(directory, 'pve/domains.cfg'));
    expect(await files.read('pve')).toEqual({
      kind: 'files',
      files: {
        'priv/tfa.cfg': { kind: 'read', contents: 'e30=' },
        'user.cfg': { kind: 'read', contents: '' },
        'domains.cfg': { kind: 'failed', why: 'open: ELOOP' },
      },
    });
    expect(await files.read('pbs')).toEqual({
      kind: 'files',
      files: { 'tfa.json': { kind: 'missing', directory: false } },
    });
  });

  it.each([
    ['POST', '/v1/proxmox', '{"product":"pmg"}', 400],
    ['POST', '/v1/proxmox', '{"product":"pve","path":"/etc/shadow"}', 400],
    ['POST', '/v1/read', '{}', 400],
    ['POST', '/v1/read', 'SECRET7', 400],
    ['POST', '/v1/replace', '{"path":"/SECRET7"}', 400],
    ['PUT', '/v1/read', '{}', 404],
    ['POST', '/v1/write', '{}', 404],
    ['POST', '/v1/read', `"${'x'.repeat(240_000)}"`, 413],
  ])('refuse %s %s %.20s', async (method, target, body, status) => {
    serve();
    expect(await ask(method, target, body)).toMatchObject({
      status,
    });
    expect(log.events).toHaveLength(1);
    expect(log.text).not.toContain('SECRET7');
  });

  it('answer many at once, one user', async () => {
    serve();
    const results = await Promise.all(Array.from({ length: 60 }, () => read()));
    expect(results.every(({ kind }) => kind === 'read')).toBe(true);
  });

  it('finish running requests, and accept no more', async () => {
    serve();
    const body = JSON.stringify({ user, uid, gid, path, maxBytes: 65_536 });
    const going = connect(socket);
    going.write(`POST /v1/read HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`);
    await read(); // by then the one before it is accepted
    const closed = server.close();
    going.write(body);
    expect(String(await once(going, 'data'))).toMatch(/^HTTP\/1\.1 200 /);
    await closed;
    expect(await read()).toEqual({ kind: 'no-reader', code: 'ECONNREFUSED' });
  });

  it.skipIf(uid === 0)('end connections of anybody else', async () => {
    server = new FilesServer(uid + 1, log, () => 0, proxmox());
    serve();
    expect(await read()).toMatchObject({ kind: 'no-answer' });
    const unheard = connect(socket);
    expect(String(await once(unheard, 'data'))).toMatch(
      /^HTTP\/1\.1 403 [^]*Only pve-authenticatord is served here/,
    );
    expect(log.text).toContain('Somebody other than the daemon connected');
  });
});

describe('FilesClient without a reader', () => {
  const listening: { close(): void }[] = [];
  const open: Socket[] = [];
  afterEach(() => {
    open.splice(0).forEach((connection) => connection.destroy());
    listening.splice(0).forEach((other) => other.close());
  });

  async function listen(other: Server | ReturnType<typeof createServer>): Promise<void> {
    listening.push(other);
    other.on('connection', (connection: Socket) => open.push(connection));
    await new Promise<void>((resolve) => other.listen(socket, resolve));
  }
  const answering = (status: number, body: string): ReturnType<typeof createServer> =>
    createServer((incoming, response) => {
      incoming.resume();
      response.writeHead(status);
      response.end(body);
    });

  it('says that there is none', async () => {
    expect(await read()).toEqual({ kind: 'no-reader', code: 'ENOENT' });
    expect(await replace('x', 'y')).toEqual({ kind: 'no-reader', code: 'ENOENT' });
  });

  it('waits no longer than eight seconds, also for one that sends a byte now and then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const arrived = new Promise<void>((resolve) => {
      void listen(
        createServer((incoming, response) => {
          incoming.resume();
          response.writeHead(200);
          setInterval(() => response.write(' '), 1_000);
          resolve();
        }),
      );
    });
    const waiting = read();
    await arrived;
    await vi.advanceTimersByTimeAsync(7_999);
    expect(await Promise.race([waiting, Promise.resolve('nothing yet')])).toBe('nothing yet');
    await vi.advanceTimersByTimeAsync(1);
    expect(await waiting).toEqual({ kind: 'no-answer', why: 'deadline' });
  });

  it.each([
    ['ended', 200, undefined],
    ['unreadable', 200, ''],
    ['unreadable', 200, '{"kind":"read"}'],
    ['unreadable', 200, '{"kind":"busy","more":1}'],
    ['unreadable', 200, '{"kind":"changed"}'],
    ['unreadable', 200, `"${'x'.repeat(200_000)}"`],
    ['refused', 400, '{"error":{"code":"ERR_BAD_REQUEST"}}'],
    ['refused', 500, ''],
  ])('says %s of status %i and %.30s', async (why, status, body) => {
    await listen(
      body === undefined ? createListener((connection) => connection.destroy()) : answering(status, body),
    );
    expect(await read()).toEqual({ kind: 'no-answer', why });
  });

  it('takes what the reader may say', async () => {
    await listen(answering(200, '{"kind":"hung"}'));
    expect(await read()).toEqual({ kind: 'hung' });
    expect(await replace('x', 'y')).toEqual({ kind: 'hung' });
  });

  it('leaves no connection open', async () => {
    // Else a connection that is left open would end with its time.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    serve();
    await read();
    const probe = connect(socket);
    await new Promise((resolve) => probe.once('connect', resolve));
    probe.destroy();
    await server.close();
  });
});
