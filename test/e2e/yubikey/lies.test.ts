/* Each lie of a validation server as a login through libpam, module and daemon: only the honest OK lets in. */
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { LIES } from '../../unit/fixtures/lies.ts';
import { ValidationServer, type Lie } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { logIn, PAM } from '../daemon/pam-login.ts';
import { NO_THROTTLE, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';

const API_KEY = randomBytes(20);
const yubikey = new VirtualYubikey();

/** Lies that need more than one answer of the fixture. */
const MORE: Record<string, Lie> = {
  'nothing for longer than anybody waits': () => undefined,
  'an answer without an end': (honest, response) => {
    response.write(honest.body());
    const timer = setInterval(() => response.write('padding=x\r\n'.repeat(1000)), 1);
    response.on('close', () => clearInterval(timer)).on('error', () => clearInterval(timer));
  },
};
const ALL = { ...LIES, ...MORE };

let stage: Stage;
let daemon: Daemon;
let server: ValidationServer;
let service: string;
const people: Person[] = [];
const otps: string[] = [];
const logs: Daemon['log'][] = [];

function configure(url: string): void {
  const lines = ['mode = "online"', 'id = 42', `key = "${API_KEY.toString('base64')}"`, `urls = ["${url}"]`];
  stage.configure(`${NO_THROTTLE}[yubico]\n${lines.join('\n')}\nca = "${stage.dir}/ca.pem"\ndeadline = 4\n`);
}

async function start(): Promise<void> {
  daemon = await stage.start();
  logs.push(daemon.log);
}

function touch(): string {
  const otp = yubikey.plugIn().touch();
  otps.push(otp);
  return otp;
}

/** The budget of look-ups is each person's own. */
const somebody = (): Person => people.pop()!;

async function logInWith(person: Person, otp: string, items: readonly string[] = []): Promise<number> {
  return (await logIn(stage, person.name, otp, { service, items })).rc;
}

beforeAll(async () => {
  stage = await Stage.build();
  const certificate = makeCertificate('IP:127.0.0.1');
  server = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
  writeFileSync(`${stage.dir}/ca.pem`, certificate.cert);
  configure(server.url.href);
  await start();
  service = stage.service('debug');
  people.push(
    ...Array.from({ length: Object.keys(ALL).length + 3 }, () => stage.person({ enrolled: false })),
  );
  const mapping = `${stage.dir}/mapping`;
  writeFileSync(mapping, people.map(({ name }) => `${name}:${yubikey.publicId}\n`).join(''));
  chmodSync(mapping, 0o644);
  const command = ['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', stage.runtimeDir];
  const { status, stderr } = await run([...command, 'yubico', 'import', '--authfile', mapping]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
afterEach(({ task }) => {
  server.lie = undefined;
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-20).join('\n')}`);
  }
});
afterAll(async () => {
  await stage.clear();
  await server.close();
});

test('an honest OK lets in', async () => {
  expect(await logInWith(somebody(), touch())).toBe(PAM.success);
});

test.each(Object.entries(ALL))('%s does not let in, and is no wrong code', async (_, lie) => {
  const person = somebody();
  const asked = server.requests.length;
  server.lie = lie;
  expect(await logInWith(person, touch())).toBe(PAM.systemError);
  expect(server.requests.length).toBe(asked + 1);
  await daemon.log.waitFor(new RegExp(`Cannot check .* ${person.name} .*reason=unavailable`));
  server.lie = undefined;
  expect(await logInWith(person, touch())).toBe(PAM.success);
});

test('a server that speaks plain HTTP does not let in', async () => {
  const plain = createHttpServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const parameters: [string, string][] = ['otp', 'nonce'].map((name) => [name, asked.get(name) ?? '']);
    response.end(server.signedBody([...parameters, ['status', 'OK']]));
  }).listen(0, '127.0.0.1');
  await once(plain, 'listening');
  await daemon.stop();
  configure(`https://127.0.0.1:${(plain.address() as AddressInfo).port}/wsapi/2.0/verify`);
  await start();
  expect(await logInWith(somebody(), touch())).toBe(PAM.systemError);
  plain.close();
});

test('no OTP and no API key is in any log, at any level; a planted OTP would be found', async () => {
  const planted = touch();
  await logInWith(somebody(), 'x', [`RHOST=${planted}`]);
  await daemon.log.waitFor(/rhost=/);
  const text = logs.flatMap(({ lines }) => lines).join('\n');
  expect(text).toContain('<7>debug: checked');
  const found = (secret: string): boolean => text.includes(secret);
  expect(otps.filter((otp) => found(otp.slice(-32)))).toEqual([planted]);
  const nonces = server.requests.map((request) => request.get('nonce')!);
  expect(nonces.length).toBeGreaterThan(Object.keys(ALL).length);
  expect([API_KEY.toString('base64'), API_KEY.toString('hex'), ...nonces].filter(found)).toEqual([]);
});

test('an OTP that is typed in the place of the user name is not in the log, either', async () => {
  const otp = touch();
  await logIn(stage, otp, 'x', { service });
  await daemon.log.waitFor(/for \(an OTP\)/);
  const text = logs.flatMap(({ lines }) => lines).join('\n');
  expect(text.includes(otp.slice(-32))).toBe(false);
});
