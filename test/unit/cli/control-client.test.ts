import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../../src/cli/control-client.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();

let directory: string;
let server: Server;
let received: { method: string | undefined; url: string | undefined; body: string }[];
let respond: (response: ServerResponse) => void;
const client = (): ControlClient => new ControlClient(directory);

beforeEach(async () => {
  directory = makeDirectory();
  received = [];
  server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ method: request.method, url: request.url, body: Buffer.concat(chunks).toString() });
      respond(response);
    });
  });
  server.listen(`${directory}/control.sock`);
  await once(server, 'listening');
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const answering =
  (status: number, body: string) =>
  (response: ServerResponse): void => {
    response.writeHead(status).end(body);
  };

describe('ControlClient', () => {
  it('sends a request and gives the answer', async () => {
    respond = answering(200, '{"user":"alice"}');
    expect(await client().ask('POST', ['users', 'a/b c', 'factors'], { kind: 'totp' })).toEqual({
      user: 'alice',
    });
    expect(received).toEqual([
      { method: 'POST', url: '/v1/users/a%2Fb%20c/factors', body: '{"kind":"totp"}' },
    ]);
  });

  it('sends no body where there is none', async () => {
    respond = answering(200, '[]');
    await client().ask('DELETE', ['users', '..', 'factors', '%']);
    expect(received).toEqual([{ method: 'DELETE', url: '/v1/users/../factors/%25', body: '' }]);
  });

  it('says what the daemon refuses, in its words', async () => {
    respond = answering(409, '{"error":{"code":"ERR_NAME_TAKEN","message":"choose another name"}}');
    await expect(client().ask('GET', ['users'])).rejects.toEqual(
      expect.objectContaining({
        name: 'CommandError',
        code: 'ERR_NAME_TAKEN',
        message: 'choose another name',
      }),
    );
  });

  it.each([
    ['is no JSON', 200, '<html>'],
    ['is empty', 200, ''],
    ['ends early', 200, '{"user":'],
    ['is a refusal without words', 500, '{}'],
    ['is a refusal of nothing', 500, 'null'],
    ['is a refusal that is empty', 500, ''],
  ])('says that an answer cannot be read: it %s', async (_name, status, body) => {
    respond = answering(status, body);
    await expect(client().ask('GET', ['users'])).rejects.toEqual(
      expect.objectContaining({
        code: 'ERR_DAEMON',
        message: expect.stringContaining('same version') as string,
      }),
    );
  });

  it('takes no answer without end', async () => {
    respond = (response) => {
      const chunk = Buffer.alloc(256 * 1024, 0x20);
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    await expect(client().ask('GET', ['users'])).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_DAEMON', message: expect.stringContaining('too long') as string }),
    );
  });

  it('says that the daemon is gone in the middle of an answer', async () => {
    respond = (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('{');
      setTimeout(() => response.destroy(), 20);
    };
    await expect(client().ask('GET', ['users'])).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_DAEMON' }),
    );
  }, 3_000);

  it('says where it looked for a daemon that is not there, and what to look at', async () => {
    const nowhere = makeDirectory();
    await expect(new ControlClient(nowhere).ask('GET', ['users'])).rejects.toThrow(
      `The daemon cannot be reached at ${nowhere}/control.sock (ENOENT). Is it running? See: systemctl status`,
    );
    writeFileSync(`${nowhere}/control.sock`, '');
    await expect(new ControlClient(nowhere).ask('GET', ['users'])).rejects.toThrow('(ECONNREFUSED)');
  });
});
