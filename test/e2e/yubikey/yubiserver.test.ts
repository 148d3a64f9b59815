/* Debian's yubiserver says whether our client is right, and Debian's ykclient whether the server of our tests is. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as createTcpServer, connect, type AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseOtp, validateOnline, type ValidationSettings } from '../../../src/yubico-otp/index.ts';
import { makeCertificate, type Certificate } from '../../unit/fixtures/certificates.ts';
import { changed, ValidationServer } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { describeInBox } from '../harness/box.ts';
import { run, runWell } from '../harness/run.ts';

/** Where its package keeps an empty database. */
const EMPTY_DATABASE = '/etc/yubiserver/yubiserver.sqlite.init';
/** For yubiserver, the key is 20 literal characters; clients use their base64. */
const API_KEY = Buffer.from(randomBytes(15).toString('base64'));

let certificate: Certificate;
let directory: string;
const closers: (() => unknown)[] = [];

function settings(url: URL): ValidationSettings {
  const others = { ca: certificate.cert, proxy: undefined, syncLevel: undefined, deadlineMs: 5000 };
  return { clientId: '1', apiKey: API_KEY, servers: [url], ...others };
}

describeInBox('servers and clients of others', () => {
  beforeAll(() => {
    certificate = makeCertificate('IP:127.0.0.1');
    directory = mkdtempSync('/tmp/yubiserver-');
    spawnSync('chmod', ['755', directory]);
  });
  afterAll(() => closers.forEach((close) => close()));

  /** yubiserver speaks only HTTP, so a TLS proxy is in front of it. */
  async function startYubiserver(yubikey: VirtualYubikey): Promise<URL> {
    const database = `${directory}/keys.sqlite`;
    copyFileSync(EMPTY_DATABASE, database);
    await runWell(['yubiserver-admin', '-b', database, '-p', '-a', 'client', API_KEY.toString()]);
    const secrets = [yubikey.privateId.toString('hex'), yubikey.aesKey.toString('hex')];
    await runWell(['yubiserver-admin', '-b', database, '-y', '-a', 'alice', yubikey.publicId, ...secrets]);
    await runWell(['chown', '-R', 'yubiserver', directory]);
    const port = await freePort();
    // It goes into the background, and ends with the box.
    await runWell(['yubiserver', '-d', database, '-l', `${directory}/log`, '-p', String(port)]);
    const front = createTlsServer({ ...certificate }, (socket) => {
      const behind = connect(port, '127.0.0.1').on('error', () => socket.destroy());
      socket.on('error', () => behind.destroy());
      socket.pipe(behind).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(front, 'listening');
    closers.push(() => front.close());
    return new URL(`https://127.0.0.1:${(front.address() as AddressInfo).port}/wsapi/2.0/verify`);
  }

  async function freePort(): Promise<number> {
    const server = createTcpServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  test('yubiserver and our client agree', async () => {
    const yubikey = new VirtualYubikey();
    const url = await startYubiserver(yubikey);
    const ask = async (otp: string, change: Partial<ValidationSettings> = {}): Promise<string> =>
      (await validateOnline(parseOtp(otp)!, { ...settings(url), ...change })).kind;
    const [older, otp] = [yubikey.plugIn().touch(), yubikey.touch()];
    expect(await validateOnline(parseOtp(otp)!, settings(url))).toEqual({
      kind: 'right',
      // It does not sign them.
      counters: undefined,
      failures: [],
    });
    expect(await ask(otp)).toBe('replayed');
    expect(await ask(older)).toBe('replayed');
    expect(await ask(new VirtualYubikey({ publicId: yubikey.publicId }).touch())).toBe('wrong');
    expect(await ask(yubikey.plugIn().touch(), { clientId: '9' })).toBe('misconfigured');
    expect(await ask(yubikey.touch(), { apiKey: randomBytes(20) })).toBe('unavailable');
    expect(await ask(yubikey.plugIn().touch())).toBe('right');
  });

  test("ykclient and the tests' own server agree", async () => {
    const yubikey = new VirtualYubikey();
    const server = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
    closers.push(() => server.close());
    writeFileSync(`${directory}/ca.pem`, certificate.cert);
    const ask = async (otp: string): Promise<number | null> => {
      const options = ['--url', server.url.href, '--cai', `${directory}/ca.pem`];
      const key = ['--apikey', API_KEY.toString('base64')];
      return (await run(['ykclient', ...options, ...key, server.clientId, otp])).status;
    };
    const otp = yubikey.touch();
    expect(await ask(otp)).toBe(0);
    expect(await ask(otp)).toBe(2);
    expect(await ask(new VirtualYubikey().touch())).toBe(3);
    server.lie = (honest, response) =>
      response.end(honest.body(changed(honest.parameters, { nonce: '0'.repeat(32) })));
    expect(await ask(yubikey.touch())).not.toBe(0);
  });
});
