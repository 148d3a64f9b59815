/* Over real sockets; the addon must be built. */
import { once } from 'node:events';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AcceptedHttp, BUSY, type AcceptedRequest } from '../../../src/host/accepted-http.ts';
import { listenOn } from '../../../src/host/addon.ts';
import type { Reply } from '../../../src/host/send-reply.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const PLACES = 2;
const GET = 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n';

let path: string;
let server: AcceptedHttp;
let answer: (request: AcceptedRequest) => Promise<Reply>;
let open: Socket[];

beforeEach(() => {
  path = join(makeDirectory(), 'x.sock');
  open = [];
  server = new AcceptedHttp({
    connectionMs: 60_000,
    maxBodyBytes: 64,
    turnedAway: (_peer, busy) => ([...busy].length < PLACES ? undefined : BUSY),
    answer: (request) => answer(request),
  });
  server.listen(listenOn(path, 0o600, 128));
});

afterEach(() => {
  open.forEach((socket) => socket.destroy());
  void server.close();
  server.hangUp();
});

function connected(): Socket {
  const socket = connect(path);
  socket.on('error', () => undefined);
  open.push(socket);
  return socket;
}

async function waitUntil(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

it('has an answer that is still being made keep its place when its asker hangs up', async () => {
  const made: ((reply: Reply) => void)[] = [];
  const requests: AcceptedRequest[] = [];
  answer = (request) => {
    requests.push(request);
    return new Promise((resolve) => made.push(resolve));
  };
  for (let asker = 0; asker < PLACES; asker++) {
    connected().write(GET);
  }
  await waitUntil(() => requests.length === PLACES);
  open.forEach((socket) => socket.destroy());
  await waitUntil(() => requests.every((request) => !request.wanted()));
  const turnedAway = connected();
  expect(String(await once(turnedAway, 'data'))).toContain('ERR_BUSY');
  expect(made).toHaveLength(PLACES);
  made.forEach((make) => make({ status: 200, body: 1 }));
  await new Promise((resolve) => setImmediate(resolve));
  answer = () => Promise.resolve({ status: 200, body: 2 });
  const next = connected();
  next.write(GET);
  expect(String(await once(next, 'data'))).toContain('\r\n\r\n2\n');
});

it('makes a list only as fast as it is read, and stops if the reader goes away', async () => {
  let made = 0;
  let ended = false;
  answer = () =>
    Promise.resolve({
      status: 200,
      list: (async function* () {
        try {
          for (;;) {
            made += 1;
            yield await Promise.resolve({ entry: 'x'.repeat(1_000) });
          }
        } finally {
          ended = true;
        }
      })(),
    });
  const socket = connected();
  socket.pause();
  socket.write(GET);
  let before = -1;
  while (made !== before) {
    before = made;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(made, 'what the kernel takes, and little more').toBeLessThan(2_000);
  socket.destroy();
  await waitUntil(() => ended);
});

it('has a list that breaks off look broken', async () => {
  answer = () =>
    Promise.resolve({
      status: 200,
      list: (async function* () {
        yield await Promise.resolve({ entry: 1 });
        throw new Error('the disk is gone');
      })(),
    });
  const [response] = (await once(get({ socketPath: path, path: '/x' }), 'response')) as [
    AsyncIterable<Buffer>,
  ];
  const read = async (): Promise<void> => {
    for await (const chunk of response) {
      expect(String(chunk)).toBe('');
    }
  };
  await expect(read()).rejects.toThrow();
});
