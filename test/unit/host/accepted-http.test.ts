import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { jsonBody } from '../../../src/host/accepted-http.ts';

const MAX_BYTES = 64;

/** A body that comes in these pieces, which stay to be looked at. */
function bodyOf(...pieces: string[]): { request: Readable; chunks: Buffer[] } {
  const chunks = pieces.map((piece) => Buffer.from(piece));
  return { request: Readable.from(chunks), chunks };
}

const wiped = (chunk: Buffer): boolean => chunk.every((byte) => byte === 0);

describe("a request's body", () => {
  it('is read in pieces, and wiped', async () => {
    const { request, chunks } = bodyOf('{"code":', '"123456"}');
    expect(await jsonBody(request, MAX_BYTES)).toEqual({ code: '123456' });
    expect(chunks.every(wiped)).toBe(true);
  });

  it('is wiped when it is not JSON, and not told', async () => {
    const { request, chunks } = bodyOf('{"code": 123456');
    await expect(jsonBody(request, MAX_BYTES)).rejects.toThrow(/^ERR_NOT_JSON$/);
    expect(chunks.every(wiped)).toBe(true);
  });

  it('is refused when it is too long, and what came of it is wiped', async () => {
    const { request, chunks } = bodyOf('{"code":"123456",', 'x'.repeat(MAX_BYTES));
    await expect(jsonBody(request, MAX_BYTES)).rejects.toThrow(/^ERR_TOO_LONG$/);
    expect(chunks.every(wiped)).toBe(true);
  });

  it('is wiped when it ends in the middle', async () => {
    const first = Buffer.from('{"code":"123456"');
    const broken = Readable.from(
      (function* () {
        yield first;
        throw new Error('aborted');
      })(),
    );
    await expect(jsonBody(broken, MAX_BYTES)).rejects.toThrow('aborted');
    expect(wiped(first)).toBe(true);
  });
});
