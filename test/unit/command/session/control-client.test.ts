import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../../../src/command/session/control-client.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();

let directory: string;
let server: Server;
let received: { method: string | undefined; url: string | undefined; body: string }[];
let respond: (response: ServerResponse) => void;
/** Longer than it takes to ask twice. */
const PATIENCE_MS = 300;
const client = (): ControlClient => new ControlClient(directory, PATIENCE_MS);

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

  it('refuses an endless answer', async () => {
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

  it.each(['GET', 'POST'] as const)(
    'waits for a daemon that is being restarted with a %s',
    async (method) => {
      respond = answering(200, '{"user":"alice"}');
      server.close();
      await once(server, 'close');
      writeFileSync(`${directory}/control.sock`, ''); // nobody listens there
      const asked = new ControlClient(directory, 30_000).ask(method, ['users', 'alice']);
      await new Promise((resolve) => setTimeout(resolve, 150));
      rmSync(`${directory}/control.sock`);
      server.listen(`${directory}/control.sock`);
      expect(await asked).toEqual({ user: 'alice' });
      expect(received).toHaveLength(1);
    },
  );

  it('repeats an interrupted question, but never a change', async () => {
    let cut = 0;
    respond = (response) => {
      if (cut < 2) {
        cut += 1;
        response.destroy();
      } else {
        response.end('{"user":"alice"}');
      }
    };
    const patient = new ControlClient(directory, 30_000);
    expect(await patient.ask('GET', ['users', 'alice'])).toEqual({ user: 'alice' });
    expect(received).toHaveLength(3);
    cut = 0;
    await expect(patient.ask('POST', ['users', 'alice', 'unlock'], {})).rejects.toThrow('(ECONNRESET)');
    expect(received).toHaveLength(4);
  });

  it('tries again if the daemon was too busy', async () => {
    let turns = 0;
    respond = (response) => {
      turns += 1;
      if (turns < 3) {
        response.writeHead(503).end('{"error":{"code":"ERR_BUSY","message":"try again later"}}');
      } else {
        response.end('{"user":"alice"}');
      }
    };
    const patient = new ControlClient(directory, 30_000);
    expect(await patient.ask('POST', ['users', 'alice', 'unlock'], {})).toEqual({ user: 'alice' });
    turns = -1_000;
    await expect(client().ask('GET', ['users'])).rejects.toEqual(
      expect.objectContaining({ code: 'ERR_BUSY' }),
    );
  });

  it('accepts a list of any length, but not an incomplete one', async () => {
    const people = 40_000;
    const entry = { user: 'x'.repeat(200) };
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (let person = 0; person < people; person++) {
        response.write(`${JSON.stringify(entry)}\n`);
      }
      response.end();
    };
    const listed = await client().list(['users']);
    expect(listed).toHaveLength(people);
    expect(listed[people - 1]).toEqual(entry);
    respond = (response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write(`${JSON.stringify(entry)}\n`, () => response.destroy());
    };
    await expect(client().list(['users'])).rejects.toThrow('The daemon cannot be reached');
  });

  it.each([
    ['before it answers', (response: ServerResponse): void => void response.destroy(), 'ECONNRESET'],
    [
      'in the middle of its answer',
      (response: ServerResponse): void => {
        response.writeHead(200, { 'content-length': 100 }).write('{');
        setTimeout(() => response.destroy(), 20);
      },
      'ECONNRESET',
    ],
    ['after an answer without sense', answering(200, '<html>'), 'same version'],
  ])('says that it is not known whether a change was made: the daemon ends %s', async (_when, end, says) => {
    respond = end;
    const error = await client()
      .ask('DELETE', ['users', 'alice', 'factors', 'phone'])
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_DAEMON' });
    expect(String(error)).toContain('The change may or may not have been made');
    expect(String(error)).toContain(says);
    expect(String(error)).not.toContain('cannot be reached');
    for (const [method, body] of [['GET'], ['POST', { kind: 'totp', check: true }]] as const) {
      await expect(client().ask(method, ['users'], body)).rejects.toThrow(/^(?!.*not known)/);
    }
  });

  it('says of a change that was never sent that the daemon cannot be reached', async () => {
    await expect(new ControlClient(makeDirectory(), PATIENCE_MS).ask('POST', ['users'], {})).rejects.toThrow(
      'The daemon cannot be reached',
    );
  });

  it('says where it looked for a daemon that is not there, and what to look at', async () => {
    const nowhere = makeDirectory();
    await expect(new ControlClient(nowhere, PATIENCE_MS).ask('GET', ['users'])).rejects.toThrow(
      `The daemon cannot be reached at ${nowhere}/control.sock (ENOENT). Is it running? See: systemctl status`,
    );
    writeFileSync(`${nowhere}/control.sock`, '');
    await expect(new ControlClient(nowhere, PATIENCE_MS).ask('GET', ['users'])).rejects.toThrow(
      '(ECONNREFUSED)',
    );
  });
});
