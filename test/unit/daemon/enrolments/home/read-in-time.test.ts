import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HomeFiles, ReadResult } from '../../../../../src/daemon/enrolments/home/file-access.ts';
import { readInTime } from '../../../../../src/daemon/enrolments/home/read-in-time.ts';
import { DIRECTORY, OneHomeFile } from '../../../fixtures/one-home-file.ts';
import { pausedWhile } from '../../../fixtures/paused.ts';

/** The module has left by then. */
const LONG_MS = 5_000;
const REQUEST = { user: 'ana', uid: 1000, gid: 1000, path: '/home/ana/.google_authenticator', maxBytes: 100 };
const MISSING: ReadResult = { kind: 'missing', directory: DIRECTORY, symlink: false };

let answer: (read: ReadResult) => void;
let files: HomeFiles;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const reading = new Promise<ReadResult>((resolve) => (answer = resolve));
  files = Object.assign(new OneHomeFile(), { read: () => reading });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('readInTime', () => {
  it('gives the answer', async () => {
    const read = readInTime(files, REQUEST);
    answer(MISSING);
    expect(await read).toBe(MISSING);
  });

  it('does not wait longer than the module, and wipes what comes later', async () => {
    const read = readInTime(files, REQUEST);
    vi.advanceTimersByTime(LONG_MS);
    expect(await read).toEqual({ kind: 'hung' });
    const contents = Buffer.from('a secret');
    const file = { dev: '1', ino: '21', mode: 0o600, uid: 1000, gid: 1000, size: 8, mtimeNs: '0' };
    answer({ kind: 'read', contents, file, directory: DIRECTORY, symlink: false });
    await setImmediate();
    expect(contents).toEqual(Buffer.alloc(8));
  });

  it('hears an answer that came while the daemon was paused', async () => {
    const read = readInTime(files, REQUEST);
    await pausedWhile(LONG_MS, () => answer(MISSING));
    expect(await read).toBe(MISSING);
  });
});
