/* Against the real kernel. The addon must be built (make build). */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOn } from '../../../src/host/addon.ts';
import { openLoginLines, type LoginLines } from '../../../src/host/login-lines.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const TAG = 7;
const LARGEST = 16_383;

interface Told {
  readonly what: string;
  readonly line?: number;
  readonly more?: unknown;
}

let lines: LoginLines;
let told: Told[];
let views: Buffer[];
let path: string;
const clients: Socket[] = [];

beforeEach(() => {
  told = [];
  views = [];
  lines = openLoginLines({
    opened: (line, tag, uid) => told.push({ what: 'opened', line, more: { tag, uid } }),
    message(line, type, payload) {
      views.push(payload);
      told.push({ what: 'message', line, more: { type, text: payload.toString('latin1') } });
    },
    ended: (line, how) => told.push({ what: how, line }),
    notAccepted: (tag, code) => told.push({ what: code, more: { tag } }),
    batchEnded: () => told.push({ what: 'batch' }),
  });
  path = join(makeDirectory(), 'pam.sock');
  lines.listen(listenOn(path, 0o600, 100), TAG);
});

afterEach(() => {
  clients.splice(0).forEach((client) => client.destroy());
  lines.close();
});

function frame(type: number, text: string): Buffer {
  const bytes = Buffer.alloc(3 + text.length);
  bytes.writeUInt16BE(1 + text.length);
  bytes.writeUInt8(type, 2);
  bytes.write(text, 3, 'latin1');
  return bytes;
}

async function client(): Promise<Socket> {
  const socket = connect(path).on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) {
    await sleep(5);
  }
  expect(condition()).toBe(true);
}

const of = (what: string): Told[] => told.filter((one) => one.what === what);
const lineOf = (one: Told | undefined): number => one?.line ?? -1;

describe('the lines of modules', () => {
  it('report caller, socket and frames in one batch', async () => {
    const module = await client();
    module.write(frame(1, 'hello'));
    await until(() => of('message').length === 1);
    expect(told[0]).toEqual({
      what: 'opened',
      line: lineOf(told[0]),
      more: { tag: TAG, uid: process.getuid?.() },
    });
    expect(of('message')[0]).toEqual({
      what: 'message',
      line: lineOf(told[0]),
      more: { type: 1, text: 'hello' },
    });
  });

  it('send, and hang up only after what was sent', async () => {
    const module = await client();
    const closed = new Promise((resolve) => module.on('close', resolve));
    await until(() => of('opened').length === 1);
    const line = lineOf(told[0]);
    expect(lines.send(line, Buffer.from('last words'))).toBe(true);
    lines.hangUp(line);
    const [bytes] = (await once(module, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('last words');
    module.resume();
    await closed;
    expect(lines.send(line, Buffer.from('more'))).toBe(false);
  });

  it('wait for a frame that comes in pieces, of every size', async () => {
    const module = await client();
    const whole = frame(2, 'x'.repeat(LARGEST - 1));
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 9_000],
      [9_000, whole.length],
    ] as const) {
      module.write(Buffer.from(whole.subarray(from, to)));
      await sleep(20);
    }
    await until(() => of('message').length === 1);
    expect(of('message')[0]?.more).toEqual({ type: 2, text: 'x'.repeat(LARGEST - 1) });
  });

  it.each([
    ['a length of 0', Buffer.from([0, 0]), 'bad-length'],
    ['a length that is too large', Buffer.from([0x40, 0x00, 1]), 'bad-length'],
    ['two frames at once', Buffer.concat([frame(1, 'a'), frame(2, 'b')]), 'out-of-turn'],
    ['a frame and one byte', Buffer.concat([frame(1, 'a'), Buffer.from([0])]), 'out-of-turn'],
  ])('end a line with %s', async (_what, bytes, how) => {
    const module = await client();
    const closed = new Promise((resolve) => module.on('close', resolve));
    module.write(bytes);
    await until(() => of(how).length === 1);
    expect(of('message')).toEqual([]);
    module.resume();
    await closed;
  });

  it('report that a module hung up, after its frames', async () => {
    const module = await client();
    module.end(frame(1, 'bye'));
    await until(() => of('gone').length === 1);
    expect(told.filter(({ what }) => what !== 'batch').map(({ what }) => what)).toEqual([
      'opened',
      'message',
      'gone',
    ]);
  });

  it('never give a name twice, and an old name reaches nobody', async () => {
    const names = new Set<number>();
    for (let i = 0; i < 20; i++) {
      const module = await client();
      await until(() => of('opened').length === i + 1);
      names.add(lineOf(of('opened')[i]));
      module.destroy();
      await until(() => of('gone').length === i + 1);
    }
    expect(names.size).toBe(20);
    const module = await client();
    await until(() => of('opened').length === 21);
    for (const old of names) {
      expect(lines.send(old, Buffer.from('secret'))).toBe(false);
      lines.hangUp(old);
    }
    expect(lines.send(lineOf(of('opened')[20]), Buffer.from('for you'))).toBe(true);
    const [bytes] = (await once(module, 'data')) as [Buffer];
    expect(bytes.toString()).toBe('for you');
  });

  it('wipe what came when the batch is over', async () => {
    const module = await client();
    module.write(frame(2, '123456'));
    await until(() => of('message').length === 1 && told.at(-1)?.what === 'batch');
    expect(views.map((view) => [...view])).toEqual([[0, 0, 0, 0, 0, 0]]);
  });

  it('leave connections in the queue while they pause', async () => {
    lines.pause(TAG);
    const module = await client();
    module.write(frame(1, 'early'));
    await sleep(50);
    expect(told).toEqual([]);
    lines.resume(TAG);
    await until(() => of('message').length === 1);
  });

  it('go on at one socket while another pauses', async () => {
    const other = join(makeDirectory(), 'user.sock');
    lines.listen(listenOn(other, 0o600, 100), TAG + 1);
    lines.pause(TAG + 1);
    const waiting = connect(other).on('error', () => undefined);
    clients.push(waiting);
    await once(waiting, 'connect');
    await client();
    await until(() => of('opened').length === 1);
    await sleep(50);
    expect(of('opened').map(({ more }) => (more as { tag: number }).tag)).toEqual([TAG]);
    lines.resume(TAG + 1);
    await until(() => of('opened').length === 2);
  });

  it('serve more than fit into a batch, each frame once', async () => {
    const modules = await Promise.all(Array.from({ length: 90 }, client));
    modules.forEach((module, i) => module.write(frame(1, `${i}:${'y'.repeat(8_000)}`)));
    await until(() => of('message').length === modules.length);
    const numbers = of('message').map(({ more }) => Number((more as { text: string }).text.split(':')[0]));
    expect(numbers.sort((a, b) => a - b)).toEqual(modules.map((_, i) => i));
  });

  it('leave no descriptor behind', async () => {
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 10; i++) {
      (await client()).destroy();
    }
    await until(() => of('gone').length === 10);
    expect(readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('say which descriptor is no socket to accept from', () => {
    expect(() => lines.listen(0xffff, 0)).toThrow(/EBADF/);
    expect(() => lines.listen(-1, 0)).toThrow(RangeError);
  });
});
