import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OneRequest } from '../../../src/host/one-request.ts';
import type { RequestHead } from '../../../src/host/request-head.ts';

const MAX_BYTES = 64;

interface Connection {
  readonly socket: PassThrough;
  readonly request: OneRequest;
  readonly complete: RequestHead[];
}

function connection(): Connection {
  const socket = new PassThrough();
  socket.on('error', () => undefined);
  const complete: RequestHead[] = [];
  return { socket, complete, request: new OneRequest(socket, MAX_BYTES, (head) => complete.push(head)) };
}

/** The result of these pieces, which are kept for inspection. */
async function sent(...pieces: string[]): Promise<Connection & { chunks: Buffer[] }> {
  const made = connection();
  const chunks = pieces.map((piece) => Buffer.from(piece));
  for (const chunk of chunks) {
    if (!made.socket.destroyed) {
      made.socket.write(chunk);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { ...made, chunks };
}

const post = (body: string, length = body.length): string =>
  `POST /v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n${body}`;
const wiped = (chunk: Buffer): boolean => chunk.every((byte) => byte === 0);

describe("a request's body", () => {
  it('is read in pieces, and wiped', async () => {
    const { request, complete, chunks } = await sent(post('', 17), '{"code":', '"123456"}');
    expect(complete).toMatchObject([{ method: 'POST', target: '/v1/x', bodyLength: 17 }]);
    expect(request.json(MAX_BYTES)).toEqual({ code: '123456' });
    expect(chunks.slice(1).every(wiped)).toBe(true);
  });

  it('is wiped when it is not JSON, and not quoted', async () => {
    const { request, chunks } = await sent(post('', 15), '{"code": 123456');
    expect(() => request.json(MAX_BYTES)).toThrow(/^ERR_NOT_JSON$/);
    expect(chunks.slice(1).every(wiped)).toBe(true);
  });

  it('is refused and wiped when it is too long for its request', async () => {
    const { request, chunks } = await sent(post('', 17), '{"code":"123456"}');
    expect(() => request.json(16)).toThrow(/^ERR_TOO_LONG$/);
    expect(chunks.slice(1).every(wiped)).toBe(true);
  });

  it('is refused when it is longer than any, before all of it came', async () => {
    const { request, complete, chunks } = await sent(post('', MAX_BYTES + 1), '{"code":"123456",');
    expect(complete).toHaveLength(1);
    expect(() => request.json(MAX_BYTES + 1)).toThrow(/^ERR_TOO_LONG$/);
    expect(chunks.slice(1).every(wiped)).toBe(true);
  });

  it('is wiped when the connection ends in the middle', async () => {
    const { socket, complete, chunks } = await sent(post('', 20), '{"code":"123456"');
    socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(complete).toEqual([]);
    expect(chunks.slice(1).every(wiped)).toBe(true);
  });
});

describe('one connection', () => {
  const get = 'GET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n';

  it.each([
    ['a second request', [get.repeat(2)]],
    ['1,700 more', [get.repeat(1_701)]],
    ['one byte more', [get + 'G']],
    ['one behind a body', [post('{}') + get]],
    ['a body that is longer than it says', [post('{}x', 2)]],
  ])('with %s is cut, and none is begun', async (_what, pieces) => {
    const { socket, complete } = await sent(...pieces);
    expect(socket.destroyed).toBe(true);
    expect(complete).toEqual([]);
  });

  it('is cut when something follows the request later', async () => {
    const { socket, complete } = await sent(get, get);
    expect(socket.destroyed).toBe(true);
    expect(complete).toHaveLength(1);
  });

  it.each([
    ['no HTTP', 'garbage\r\n\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a head without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(9_000)}`],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}'],
    ['a length that is none', 'POST / HTTP/1.1\r\nContent-Length: 2, 2\r\n\r\n{}'],
    ['a body in chunks', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a blank before a colon', 'POST / HTTP/1.1\r\nContent-Length : 2\r\n\r\n{}'],
    ['a folded line', 'GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n'],
    ['control characters', 'GET /\0 HTTP/1.1\r\n\r\n'],
  ])('with %s is cut', async (_what, bytes) => {
    const { socket, complete } = await sent(bytes);
    expect(socket.destroyed).toBe(true);
    expect(complete).toEqual([]);
  });

  it('starts at most one request, whatever bytes come in any pieces', async () => {
    const piece = fc.oneof(
      fc.constantFrom(get, post('{}'), post('{', 9), '\r\n', '\r\n\r\n', 'Content-Length: 1\r\n', '\0'),
      fc.string({ unit: 'binary', maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.nat(50), async (parts, cut) => {
        const all = parts.join('');
        const { complete } = await sent(all.slice(0, cut), all.slice(cut));
        expect(complete.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 300 },
    );
  });
});
