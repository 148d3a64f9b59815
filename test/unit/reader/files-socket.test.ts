import { chownSync, linkSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { giveTo } from '../../../src/reader/files-socket.ts';
import { isRoot, OTHER_UID } from '../fixtures/other-user.ts';

let directory: string;
let server: Server;
let socket: string;

beforeEach(async () => {
  directory = mkdtempSync(`${tmpdir()}/files-socket-`);
  socket = `${directory}/files.sock`;
  server = createServer();
  await new Promise<void>((listening) => server.listen(socket, listening));
});

afterEach(async () => {
  await new Promise((closed) => server.close(closed));
  rmSync(directory, { recursive: true });
});

if (!isRoot) {
  console.log('NOT RUN: files.sock is given away: only root can give a file to somebody else');
}

describe.runIf(isRoot)('files.sock', () => {
  it('is given to the daemon', () => {
    giveTo(socket, OTHER_UID);
    expect(statSync(socket).uid).toBe(OTHER_UID);
  });

  it('is not a file that somebody put there', () => {
    const file = `${directory}/file`;
    writeFileSync(file, 'secret');
    expect(() => giveTo(file, OTHER_UID)).toThrow('is not the socket that was made there');
    expect(statSync(file).uid).toBe(0);
  });

  it('is not a link to something else', () => {
    const link = `${directory}/link`;
    symlinkSync(socket, link);
    expect(() => giveTo(link, OTHER_UID)).toThrow('is not the socket that was made there');
    expect(statSync(socket).uid).toBe(0);
  });

  it('is not another socket that was given that name', () => {
    linkSync(socket, `${directory}/again`);
    expect(() => giveTo(socket, OTHER_UID)).toThrow('is not the socket that was made there');
    expect(statSync(socket).uid).toBe(0);
  });

  it('is not the socket of somebody else', () => {
    chownSync(socket, OTHER_UID, OTHER_UID);
    expect(() => giveTo(socket, OTHER_UID - 1)).toThrow('is not the socket that was made there');
    expect(statSync(socket).uid).toBe(OTHER_UID);
  });
});
