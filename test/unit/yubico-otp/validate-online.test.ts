import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  assertValidationSettings,
  parseOtp,
  validateOnline,
  type Validation,
  type ValidationSettings,
} from '../../../src/yubico-otp/index.ts';
import { makeCertificate, type Certificate } from '../fixtures/certificates.ts';
import { LIES, says, withBody } from '../fixtures/lies.ts';
import { lines, ValidationServer } from '../fixtures/validation-server.ts';
import { VirtualYubikey } from '../fixtures/virtual-yubikey.ts';

const API_KEY = randomBytes(20);
/** Enough for the loopback, and short enough to wait for. */
const DEADLINE_MS = 5000;
const SHORT_DEADLINE_MS = 300;

let certificate: Certificate;
let yubikey: VirtualYubikey;
let server: ValidationServer;
const closers: (() => unknown)[] = [];

beforeAll(() => {
  certificate = makeCertificate('IP:127.0.0.1');
});

beforeEach(async () => {
  yubikey = new VirtualYubikey();
  server = await newServer();
});

afterEach(async () => {
  for (const close of closers.splice(0)) {
    await close();
  }
});

async function newServer(): Promise<ValidationServer> {
  const made = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
  closers.push(() => made.close());
  return made;
}

function settings(changes: Partial<ValidationSettings> = {}): ValidationSettings {
  const made: ValidationSettings = {
    clientId: '42',
    apiKey: API_KEY,
    servers: [server.url],
    ca: certificate.cert,
    proxy: undefined,
    syncLevel: undefined,
    deadlineMs: DEADLINE_MS,
    ...changes,
  };
  assertValidationSettings(made);
  return made;
}

function validate(otp: string, changes: Partial<ValidationSettings> = {}): Promise<Validation> {
  return validateOnline(parseOtp(otp)!, settings(changes));
}

describe('an honest server', () => {
  it('says that a new OTP is right, and which counters it has', async () => {
    const otp = yubikey.plugIn().touch();
    expect(await validate(otp)).toEqual({
      kind: 'right',
      counters: { sessionCounter: 2, sessionUse: 1 },
      failures: [],
    });
  });

  it('is asked with a signature, a nonce that is never the same, and the id', async () => {
    await validate(yubikey.touch(), { syncLevel: 50 });
    await validate(yubikey.touch());
    const [first, second] = server.requests;
    expect([...first!.keys()].sort()).toEqual(['h', 'id', 'nonce', 'otp', 'sl', 'timestamp']);
    expect([...second!.keys()].sort()).toEqual(['h', 'id', 'nonce', 'otp', 'timestamp']);
    expect(first!.get('sl')).toBe('50');
    expect(first!.get('nonce')).toMatch(/^[0-9a-f]{32}$/);
    expect(second!.get('nonce')).toMatch(/^[0-9a-f]{32}$/);
    expect(first!.get('nonce')).not.toBe(second!.get('nonce'));
  });

  it('says of the same OTP a second time that it was replayed', async () => {
    const otp = yubikey.touch();
    await validate(otp);
    expect(await validate(otp)).toEqual({ kind: 'replayed', failures: [] });
  });

  it('says of the OTP of an unknown key that it is wrong', async () => {
    expect(await validate(new VirtualYubikey().touch())).toEqual({ kind: 'wrong', failures: [] });
  });

  it('does not take another id or another key: that is for the administrator', async () => {
    const address = server.url.host;
    expect(await validate(yubikey.touch(), { clientId: '7' })).toEqual({
      kind: 'misconfigured',
      failures: [{ server: address, why: 'NO_SUCH_CLIENT' }],
    });
    expect(await validate(yubikey.touch(), { apiKey: randomBytes(20) })).toEqual({
      kind: 'misconfigured',
      failures: [{ server: address, why: 'BAD_SIGNATURE' }],
    });
  });
});

describe('a server that answers with', () => {
  it.each(Object.entries(LIES))('%s is not believed', async (_, lie) => {
    const otp = yubikey.touch();
    server.lie = lie;
    const validation = await validate(otp);
    expect(validation.kind).toBe('unavailable');
    expect(validation.failures).toHaveLength(1);
    expect(validation.failures[0]!.server).toBe(server.url.host);
    const told = JSON.stringify(validation);
    for (const secret of [
      otp,
      otp.slice(-32),
      API_KEY.toString('base64'),
      server.requests[0]!.get('nonce')!,
    ]) {
      expect(told).not.toContain(secret);
    }
  });

  it('an honest OK after the deadline is not waited for', async () => {
    server.lie = (honest, response) => setTimeout(() => response.end(honest.body()), 4 * SHORT_DEADLINE_MS);
    expect(await validate(yubikey.touch(), { deadlineMs: SHORT_DEADLINE_MS })).toEqual({
      kind: 'unavailable',
      failures: [{ server: server.url.host, why: 'no answer within the deadline' }],
    });
  });

  it('an honest OK, one byte after the other, is not waited for', async () => {
    server.lie = (honest, response) => {
      const bytes = Array.from(honest.body());
      const timer = setInterval(() => {
        const byte = bytes.shift();
        if (byte === undefined || response.destroyed) {
          clearInterval(timer);
          response.end();
        } else {
          response.write(byte);
        }
      }, 10);
    };
    expect((await validate(yubikey.touch(), { deadlineMs: SHORT_DEADLINE_MS })).kind).toBe('unavailable');
  });

  it('new parameters, signed, is believed', async () => {
    server.lie = says({}, [['brand_new', 'a value = with spaces']]);
    expect((await validate(yubikey.touch())).kind).toBe('right');
  });

  it('one more empty line at the end, or line ends without return, is believed', async () => {
    server.lie = withBody((body) => `${body}\r\n`);
    expect((await validate(yubikey.touch())).kind).toBe('right');
    server.lie = withBody((body) => body.replaceAll('\r', ''));
    expect((await validate(yubikey.touch())).kind).toBe('right');
  });

  it('counters that are not signed, as yubiserver does, is believed without them', async () => {
    server.lie = (honest, response) => {
      const counters = /^(?:timestamp|sessioncounter|sessionuse)$/;
      const signed = honest.parameters.filter(([name]) => !counters.test(name));
      response.end(lines([['h', honest.h(signed)], ...honest.parameters]));
    };
    expect(await validate(yubikey.touch())).toEqual({ kind: 'right', counters: undefined, failures: [] });
  });

  it('with one changed signed counter is not believed', async () => {
    server.lie = withBody((body) => body.replace(/^sessioncounter=.*$/m, 'sessioncounter=99'));
    expect((await validate(yubikey.touch())).kind).toBe('unavailable');
  });

  it('counters that are no numbers tells none', async () => {
    server.lie = says({ sessioncounter: '-1' });
    expect(await validate(yubikey.touch())).toEqual({ kind: 'right', counters: undefined, failures: [] });
  });
});

describe('the sync level', () => {
  it.each([
    ['100', 'right'],
    ['50', 'right'],
    ['49', 'unavailable'],
    ['0', 'unavailable'],
    ['', 'unavailable'],
    ['5e9', 'unavailable'],
    ['-50', 'unavailable'],
    [undefined, 'unavailable'],
  ])('%s where 50 is configured: %s', async (sl, kind) => {
    server.lie = says({ sl });
    expect((await validate(yubikey.touch(), { syncLevel: 50 })).kind).toBe(kind);
  });

  it('does not matter where none is configured', async () => {
    server.lie = says({ sl: '0' });
    expect((await validate(yubikey.touch())).kind).toBe('right');
  });
});

describe('a refusal', () => {
  it.each([
    ['BAD_OTP', 'wrong'],
    ['REPLAYED_OTP', 'replayed'],
    ['DELAYED_OTP', 'replayed'],
    ['REPLAYED_REQUEST', 'unavailable'],
    ['BACKEND_ERROR', 'unavailable'],
    ['NOT_ENOUGH_ANSWERS', 'unavailable'],
    ['BAD_SIGNATURE', 'misconfigured'],
    ['MISSING_PARAMETER', 'misconfigured'],
    ['NO_SUCH_CLIENT', 'misconfigured'],
    ['OPERATION_NOT_ALLOWED', 'misconfigured'],
    ['NO_AUTH', 'misconfigured'],
  ])('%s is taken as %s, with OTP and nonce or without', async (status, kind) => {
    server.lie = says({ status });
    expect((await validate(yubikey.touch())).kind).toBe(kind);
    server.lie = says({ status, otp: undefined, nonce: undefined });
    expect((await validate(yubikey.touch())).kind).toBe(kind);
  });

  it.each(['BAD_OTP', 'REPLAYED_OTP', 'DELAYED_OTP'])(
    '%s that is unsigned, or for another request, does not count as a refusal',
    async (status) => {
      server.lie = withBody((body) => body.replace('status=OK', `status=${status}`));
      expect((await validate(yubikey.touch())).kind).toBe('unavailable');
      server.lie = says({ status, nonce: '0'.repeat(32) });
      expect((await validate(yubikey.touch())).kind).toBe('unavailable');
      server.lie = says({ status, otp: new VirtualYubikey().touch() });
      expect((await validate(yubikey.touch())).kind).toBe('unavailable');
    },
  );
});

/** A TCP server; what connects to it is closed at the end. */
async function tcpServer(handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    handle(socket);
  });
  tcp.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  closers.push(() => {
    sockets.forEach((socket) => socket.destroy());
    tcp.close();
  });
  return (tcp.address() as AddressInfo).port;
}

function at(port: number): URL {
  return new URL(`https://127.0.0.1:${port}/wsapi/2.0/verify`);
}

/** A port on which nobody listens. */
async function deadPort(): Promise<number> {
  const tcp = createServer().listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  tcp.close();
  await once(tcp, 'close');
  return port;
}

describe('the connection', () => {
  it('is not made to a server of an unknown authority', async () => {
    expect(await validate(yubikey.touch(), { ca: undefined })).toEqual({
      kind: 'unavailable',
      failures: [{ server: server.url.host, why: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    });
    expect(server.requests).toEqual([]);
  });

  it('is not made to a server of another name', async () => {
    const other = makeCertificate('DNS:validation.example');
    const impostor = await new ValidationServer(other, API_KEY, [yubikey]).listen();
    closers.push(() => impostor.close());
    expect(await validate(yubikey.touch(), { servers: [impostor.url], ca: other.cert })).toEqual({
      kind: 'unavailable',
      failures: [{ server: impostor.url.host, why: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    });
    expect(impostor.requests).toEqual([]);
  });

  it('is not made without TLS', async () => {
    let asked = 0;
    const plain = createHttpServer((_, response) => {
      asked++;
      response.end('status=OK\r\n');
    }).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    closers.push(() => plain.close());
    const { port } = plain.address() as AddressInfo;
    expect((await validate(yubikey.touch(), { servers: [at(port)] })).kind).toBe('unavailable');
    expect(asked).toBe(0);
    expect(() => settings({ servers: [new URL(`http://127.0.0.1:${port}/`)] })).toThrow('https');
  });

  it.each(['accepts and says nothing', 'speaks TLS and then nothing'])(
    'to a server that %s ends with the deadline',
    async (how) => {
      const silent = how.startsWith('accepts');
      const port = await tcpServer((socket) => {
        if (!silent) {
          const through = connect(server.port, '127.0.0.1').on('error', () => undefined);
          socket.pipe(through).pipe(socket);
        }
      });
      server.lie = () => undefined;
      expect(await validate(yubikey.touch(), { servers: [at(port)], deadlineMs: SHORT_DEADLINE_MS })).toEqual(
        {
          kind: 'unavailable',
          failures: [{ server: `127.0.0.1:${port}`, why: 'no answer within the deadline' }],
        },
      );
    },
  );
});

describe('several servers', () => {
  it('are all asked at once, with one nonce and one signature', async () => {
    const second = await newServer();
    // Neither answers before both were asked.
    const asked = new Set<ValidationServer>();
    let release: () => void;
    const both = new Promise<void>((resolve) => (release = resolve));
    for (const each of [server, second]) {
      each.lie = (honest, response) => {
        asked.add(each);
        if (asked.size === 2) {
          release();
        }
        void both.then(() => response.end(honest.body()));
      };
    }
    expect((await validate(yubikey.touch(), { servers: [server.url, second.url] })).kind).toBe('right');
    expect([...server.requests[0]!]).toEqual([...second.requests[0]!]);
  });

  it('with one honest server among dead, silent or lying ones: the honest one decides', async () => {
    const liar = await newServer();
    liar.lie = says({ nonce: '0'.repeat(32) });
    const synced = await newServer();
    synced.lie = says({ status: 'REPLAYED_REQUEST' });
    const refusing = await newServer();
    refusing.lie = says({ status: 'NO_SUCH_CLIENT' });
    const silent = at(await tcpServer(() => undefined));
    const dead = at(await deadPort());
    server.lie = (honest, response) => setTimeout(() => response.end(honest.body()), 200);
    const servers = [liar.url, synced.url, refusing.url, silent, dead, server.url];
    const validation = await validate(yubikey.touch(), { servers });
    expect(validation.kind).toBe('right');
    expect(validation.failures.map((failure) => failure.server)).not.toContain(server.url.host);
    expect(validation.failures.map((failure) => failure.server)).not.toContain(silent.host);
  });

  it('that all fail are named with their failures, and a refusal of our request is not hidden by others', async () => {
    const refusing = await newServer();
    refusing.lie = says({ status: 'BAD_SIGNATURE' });
    const dead = at(await deadPort());
    expect((await validate(yubikey.touch(), { servers: [dead] })).failures).toEqual([
      { server: dead.host, why: 'ECONNREFUSED' },
    ]);
    const validation = await validate(yubikey.touch(), { servers: [dead, refusing.url] });
    expect(validation.kind).toBe('misconfigured');
    expect(validation.failures).toHaveLength(2);
  });
});

describe('the proxy', () => {
  async function proxy(answer: (request: IncomingMessage, socket: Socket) => void): Promise<URL> {
    const http = createHttpServer((_, response) => response.writeHead(418).end());
    const sockets = new Set<Socket>();
    http.on('connect', (request, socket: Socket) => {
      sockets.add(socket.on('error', () => undefined));
      answer(request, socket);
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    closers.push(() => {
      sockets.forEach((socket) => socket.destroy());
      http.close();
    });
    return new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  }

  function joined(request: IncomingMessage, socket: Socket): void {
    const { hostname, port } = new URL(`https://${request.url!}`);
    const far = connect(Number(port), hostname).on('error', () => undefined);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    socket.pipe(far).pipe(socket);
  }

  it('carries a connection that is TLS from end to end', async () => {
    const seen: [string, string | undefined][] = [];
    const url = await proxy((request, socket) => {
      seen.push([request.url!, request.headers['proxy-authorization']]);
      joined(request, socket);
    });
    expect((await validate(yubikey.touch(), { proxy: url })).kind).toBe('right');
    url.username = 'name';
    url.password = 'p%40ss';
    expect((await validate(yubikey.touch(), { proxy: url })).kind).toBe('right');
    expect(seen).toEqual([
      [server.url.host, undefined],
      [server.url.host, `Basic ${Buffer.from('name:p@ss').toString('base64')}`],
    ]);
    // Also there the certificate is checked.
    expect((await validate(yubikey.touch(), { proxy: url, ca: undefined })).kind).toBe('unavailable');
  });

  it('that refuses, or says nothing, makes it unavailable', async () => {
    const refusing = await proxy((_, socket) => socket.end('HTTP/1.1 407 Who are you\r\n\r\n'));
    expect((await validate(yubikey.touch(), { proxy: refusing })).failures).toEqual([
      { server: server.url.host, why: 'the proxy answers with HTTP status 407' },
    ]);
    const silent = await proxy(() => undefined);
    expect(
      (await validate(yubikey.touch(), { proxy: silent, deadlineMs: SHORT_DEADLINE_MS })).failures,
    ).toEqual([{ server: server.url.host, why: 'no answer within the deadline' }]);
    expect(server.requests).toEqual([]);
  });
});

describe('settings', () => {
  const good = (): ValidationSettings => settings();
  const with11 = (): URL[] => Array.from({ length: 11 }, () => server.url);

  it.each([
    ['a client id of 0', () => ({ clientId: '0' })],
    ['a client id that is no number', () => ({ clientId: '1&otp=x' })],
    ['a client id of 11 digits', () => ({ clientId: '12345678901' })],
    ['an empty API key', () => ({ apiKey: Buffer.alloc(0) })],
    ['no server', () => ({ servers: [] })],
    ['11 servers', () => ({ servers: with11() })],
    ['a server with a query', () => ({ servers: [new URL('https://a.example/?id=1')] })],
    ['a server with a user', () => ({ servers: [new URL('https://a@a.example/')] })],
    ['a proxy of another kind', () => ({ proxy: new URL('socks5://127.0.0.1') })],
    ['a sync level of 0', () => ({ syncLevel: 0 })],
    ['a sync level of 101', () => ({ syncLevel: 101 })],
    ['half a sync level', () => ({ syncLevel: 0.5 })],
    ['no deadline', () => ({ deadlineMs: 0 })],
    ['a deadline of more than 10 seconds', () => ({ deadlineMs: 10_001 })],
    ['a deadline that is no number', () => ({ deadlineMs: Number.NaN })],
  ] as const)('with %s are refused', (_, changes) => {
    expect(() => assertValidationSettings({ ...good(), ...changes() })).toThrow();
  });
});
