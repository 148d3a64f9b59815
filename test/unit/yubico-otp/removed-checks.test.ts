/*
 * Removes each check of the client in turn. Then the lies that only this check detects must be believed. This shows that the
 * tests of these lies can fail, and that every check is needed.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as client from '../../../src/yubico-otp/index.ts';
import { makeCertificate, type Certificate } from '../fixtures/certificates.ts';
import { LIES, says } from '../fixtures/lies.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';
import { ValidationServer, type Lie } from '../fixtures/validation-server.ts';
import { VirtualYubikey } from '../fixtures/virtual-yubikey.ts';

type Client = Pick<typeof client, 'parseOtp' | 'validateOnline'>;

const API_KEY = randomBytes(20);
const SOURCES = resolve(import.meta.dirname, '../../../src/yubico-otp');
/** Longer than a mutant needs on a busy machine. */
const DEADLINE_MS = 9000;
const SHORT_DEADLINE_MS = 300;
const makeDirectory = temporaryDirectories();

/** One removed check: the file, the old text and the new text. */
interface Removal {
  readonly file: string;
  readonly changes: readonly (readonly [text: string, becomes: string])[];
  readonly lies: readonly (keyof typeof LIES)[];
}

const REMOVALS: Record<string, Removal> = {
  'the HTTP status': {
    file: 'check-answer.ts',
    changes: [['httpStatus !== HTTP_OK', 'false']],
    lies: ['a redirect, with an honest OK', 'HTTP status 500, with an honest OK'],
  },
  'that each line is well-formed': {
    file: 'parse-answer.ts',
    changes: [['if (name === undefined ||', 'if (name === undefined) {\n continue;\n }\n if (']],
    lies: [
      'a line without =',
      'a line without a name',
      'a line between two empty ones',
      'three empty lines at the end',
    ],
  },
  'that no name comes twice': {
    file: 'parse-answer.ts',
    changes: [['|| parameters.has(name)', '']],
    lies: ['a signed BAD_OTP and an OK after it', 'an OK twice'],
  },
  'the signature': {
    file: 'check-answer.ts',
    changes: [
      ['return given.length === expected.length && timingSafeEqual(given, expected);', 'return true;'],
    ],
    lies: [
      'no signature',
      'an empty signature',
      'the signature of another key',
      'the signature of the empty key',
      'the beginning of the signature',
      'a signature that does not cover a new parameter',
    ],
  },
  'that the signature covers all that came': {
    file: 'check-answer.ts',
    changes: [
      [
        'return [received, others].find((part) => isSigned(part, asked));',
        "const known = [...received].filter(([name]) => name !== 'another');\n return isSigned(new Map(known), asked) ? received : others;",
      ],
    ],
    lies: ['a signature that does not cover a new parameter'],
  },
  'the OTP': {
    file: 'check-answer.ts',
    changes: [["answer.get('otp') !== asked.otp", 'false']],
    lies: ['another OTP', 'no OTP'],
  },
  'the nonce': {
    file: 'check-answer.ts',
    changes: [["answer.get('nonce') !== asked.nonce", 'false']],
    lies: ['the nonce of another request', 'no nonce'],
  },
  'the exact status': {
    file: 'check-answer.ts',
    changes: [
      ["answer.get('status') ?? ''", "(answer.get('status') ?? '').toUpperCase().trim().split(',')[0]"],
    ],
    lies: ['a status in small letters', 'a status with a space', 'a status of two words'],
  },
  'that the status is a known one': {
    file: 'check-answer.ts',
    changes: [["return unavailable('the status is missing or unknown');", 'return checkOk(answer, asked);']],
    lies: ['no status', 'a status that nobody knows'],
  },
  'the size of the answer': {
    file: 'fetch-answer.ts',
    changes: [['size > MAX_ANSWER_BYTES', 'false']],
    lies: ['a signed OK of more than 4096 bytes'],
  },
  'the size of the headers': {
    file: 'fetch-answer.ts',
    changes: [['16 * 1024', '1024 * 1024']],
    lies: ['an honest OK after 40 KB of headers'],
  },
  'that the answer is not cut': {
    file: 'fetch-answer.ts',
    changes: [
      ["response.on('error', reject)", "response.on('error', () => undefined)"],
      ["response.once('end'", "response.once('close'"],
    ],
    lies: ['a body that is cut after the honest OK'],
  },
};

let certificate: Certificate;
let server: ValidationServer;
let yubikey: VirtualYubikey;

beforeAll(async () => {
  certificate = makeCertificate('IP:127.0.0.1');
  yubikey = new VirtualYubikey();
  server = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
});
afterAll(() => server.close());

/** The client without one check, compiled into its own directory. */
async function without(file: string, changes: Removal['changes']): Promise<Client> {
  const directory = makeDirectory();
  mkdirSync(`${directory}/client`);
  writeFileSync(`${directory}/package.json`, '{"type":"module"}');
  for (const name of readdirSync(SOURCES).filter((source) => source.endsWith('.ts'))) {
    let text = readFileSync(`${SOURCES}/${name}`, 'utf8');
    for (const [old, becomes] of name === file ? changes : []) {
      expect(text.split(old).length, `${file}: ${old}`).toBeGreaterThan(1);
      text = text.replace(old, becomes);
    }
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    writeFileSync(`${directory}/client/${name.replace(/\.ts$/, '.js')}`, outputText);
  }
  const url = pathToFileURL(`${directory}/client/index.js`).href;
  return (await import(/* @vite-ignore */ url)) as Client;
}

async function ask(
  { parseOtp, validateOnline }: Client,
  lie: Lie | undefined,
  changes: Partial<client.ValidationSettings> = {},
): Promise<string> {
  server.lie = lie;
  const { kind } = await validateOnline(parseOtp(yubikey.plugIn().touch())!, {
    clientId: '42',
    apiKey: API_KEY,
    servers: [server.url],
    ca: certificate.cert,
    proxy: undefined,
    syncLevel: undefined,
    deadlineMs: DEADLINE_MS,
    ...changes,
  });
  return kind;
}

describe.each(Object.entries(REMOVALS))('without the check of %s', (_, { file, changes, lies }) => {
  it.each(lies)('%s would let in', async (name) => {
    expect(await ask(client, LIES[name])).toBe('unavailable');
    const mutant = await without(file, changes);
    expect(await ask(mutant, LIES[name])).toBe('right');
  });
});

describe('without', () => {
  it('the sync level, an OTP that the pool does not know of would let in', async () => {
    const lie = says({ sl: '0' });
    expect(await ask(client, lie, { syncLevel: 50 })).toBe('unavailable');
    const mutant = await without('check-answer.ts', [['syncLevel !== undefined &&', 'false &&']]);
    expect(await ask(mutant, lie, { syncLevel: 50 })).toBe('right');
  });

  it('the deadline, a slow OK would let in', async () => {
    const lie: Lie = (honest, response) =>
      setTimeout(() => response.end(honest.body()), 4 * SHORT_DEADLINE_MS);
    expect(await ask(client, lie, { deadlineMs: SHORT_DEADLINE_MS })).toBe('unavailable');
    const mutant = await without('validate-online.ts', [['settings.deadlineMs,', `${DEADLINE_MS},`]]);
    expect(await ask(mutant, lie, { deadlineMs: SHORT_DEADLINE_MS })).toBe('right');
  });

  it('the check of the certificate, a server of any authority, or of any name, would let in', async () => {
    const mutant = await without('tls-channel.ts', [
      ['rejectUnauthorized: true', 'rejectUnauthorized: false'],
    ]);
    const other = makeCertificate('DNS:validation.example');
    expect(await ask(client, undefined, { ca: other.cert })).toBe('unavailable');
    expect(await ask(mutant, undefined, { ca: other.cert })).toBe('right');
    const impostor = await new ValidationServer(other, API_KEY, [yubikey]).listen();
    const servers = [impostor.url];
    expect(await ask(client, undefined, { ca: other.cert, servers })).toBe('unavailable');
    expect(await ask(mutant, undefined, { ca: other.cert, servers })).toBe('right');
    await impostor.close();
  });

  it('TLS, a server that speaks plain HTTP would let in', async () => {
    const mutant = await without('tls-channel.ts', [
      ["process.getBuiltinModule('node:tls').connect(", "process.getBuiltinModule('node:net').connect("],
      ["'secureConnect'", "'connect'"],
    ]);
    const plain = createHttpServer((request, response) => {
      const asked = new URL(request.url ?? '/', 'http://localhost').searchParams;
      const parameters: [string, string][] = ['otp', 'nonce'].map((name) => [name, asked.get(name) ?? '']);
      response.end(server.signedBody([...parameters, ['status', 'OK']]));
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port } = plain.address() as AddressInfo;
    const servers = [new URL(`https://127.0.0.1:${port}/`)];
    expect(await ask(client, undefined, { servers })).toBe('unavailable');
    expect(await ask(mutant, undefined, { servers })).toBe('right');
    plain.close();
  });
});
