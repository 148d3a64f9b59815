import { closeSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { listenOn } from '../../../src/host/addon.ts';
import { makeRuntimeDirectory, removeStale, SocketInUseError } from '../../../src/host/sockets.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const newDirectory = temporaryDirectories();
let root: string;

beforeEach(() => {
  root = newDirectory();
});

describe('the directory of the sockets', () => {
  it('lets everybody look for a socket, whatever the umask', () => {
    const before = process.umask(0o077);
    try {
      makeRuntimeDirectory(`${root}/run`);
    } finally {
      process.umask(before);
    }
    expect(statSync(`${root}/run`).mode & 0o7777).toBe(0o755);
  });

  it('keeps its mode when it is there', () => {
    mkdirSync(`${root}/run`, { mode: 0o700 });
    makeRuntimeDirectory(`${root}/run`);
    expect(statSync(`${root}/run`).mode & 0o7777).toBe(0o700);
  });
});

describe('a socket that is there already', () => {
  it('is removed when nobody listens on it any more', async () => {
    closeSync(listenOn(`${root}/sock`, 0o600, 1));
    await removeStale(`${root}/sock`);
    expect(existsSync(`${root}/sock`)).toBe(false);
    await removeStale(`${root}/sock`);
  });

  it('stays while somebody listens', async () => {
    const server = createServer().listen(`${root}/sock`);
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(removeStale(`${root}/sock`)).rejects.toThrow(SocketInUseError);
    expect(existsSync(`${root}/sock`)).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  it('stays while a busy process listens', async () => {
    const fd = listenOn(`${root}/sock`, 0o600, 1);
    await expect(removeStale(`${root}/sock`)).rejects.toThrow(SocketInUseError);
    expect(existsSync(`${root}/sock`)).toBe(true);
    closeSync(fd);
  });
});
