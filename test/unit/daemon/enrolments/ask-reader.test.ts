import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askReader } from '../../../../src/daemon/enrolments/ask-reader.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
/** The module has left by then. */
const LONG_MS = 15_000;
let server: Server;
let socketPath: string;

beforeEach(async () => {
  socketPath = join(makeDirectory(), 'files.sock');
  server = createServer().listen(socketPath);
  await once(server, 'listening');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  server.close();
});

it('does not wait for ever', async () => {
  server.once('request', () => vi.advanceTimersByTime(LONG_MS));
  expect(await askReader(socketPath, '/v1/read', '{}', 100)).toEqual({ kind: 'no-answer', why: 'deadline' });
});

it('hears an answer that came while the daemon was paused', async () => {
  server.once('request', (_request, response) => {
    response.end('{}');
    // In the next turn: the answer waits, and timers come first.
    setImmediate(() => vi.advanceTimersByTime(LONG_MS));
  });
  expect(await askReader(socketPath, '/v1/read', '{}', 100)).toEqual({
    kind: 'answer',
    body: Buffer.from('{}'),
  });
});
