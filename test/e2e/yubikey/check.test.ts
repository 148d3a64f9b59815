/* `yubico check` through the daemon, with a server that is wrong in every way; and a daemon that may not use the network. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { ValidationServer, type Lie } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { logIn, PAM } from '../daemon/pam-login.ts';
import { NO_THROTTLE, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run, type Ended } from '../harness/run.ts';

const API_KEY = randomBytes(20);
const yubikey = new VirtualYubikey();
const offline = new VirtualYubikey();

let stage: Stage;
let daemon: Daemon | undefined;
let server: ValidationServer;
let person: Person;
let service: string;
let around: string;

beforeAll(async () => {
  stage = await Stage.build();
  const certificate = makeCertificate('IP:127.0.0.1');
  server = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
  writeFileSync(`${stage.dir}/ca.pem`, certificate.cert);
  writeFileSync(`${stage.dir}/other.pem`, makeCertificate('IP:127.0.0.1').cert);
  around = await stage.compile(`${CHECKOUT}/test/e2e/yubikey/no-inet.c`, 'no-inet');
  // The store is there after the first start.
  await (await stage.start()).stop();
  person = stage.person();
  service = stage.service();
});
afterEach(async () => {
  server.lie = undefined;
  stage.around = [];
  await daemon?.stop();
  daemon = undefined;
});
afterAll(async () => {
  await stage.clear();
  await server.close();
});

const GOOD = (): Record<string, string> => ({
  mode: '"online"',
  id: '42',
  key: `"${API_KEY.toString('base64')}"`,
  urls: `["${server.url.href}"]`,
  ca: `"${stage.dir}/ca.pem"`,
  deadline: '2',
});

async function start(changes: Record<string, string | undefined> = {}): Promise<void> {
  const all = Object.entries({ ...GOOD(), ...changes }).filter(([, value]) => value !== undefined);
  const table = all.map(([name, value]) => `${name} = ${value!}\n`).join('');
  stage.configure(`${NO_THROTTLE}[yubico]\n${table}`);
  daemon = await stage.start();
}

function command(typed: string, ...argv: readonly string[]): Promise<Ended> {
  return run(['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', stage.runtimeDir, ...argv], typed);
}

const check = (otp = yubikey.touch()): Promise<Ended> => command(`${otp}\n`, 'yubico', 'check');

async function nobodyListens(): Promise<number> {
  const listening = createServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  const { port } = listening.address() as AddressInfo;
  listening.close();
  await once(listening, 'close');
  return port;
}

test('a touch shows that all is well', async () => {
  await start();
  const otp = yubikey.touch();
  const { status, stdout, stderr } = await check(otp);
  expect(stdout).toBe('The OTP is right: YubiKeys can be checked.\n');
  expect(stderr).toContain(`Server: ${server.url.href}`);
  expect(status).toBe(0);
  const again = await check(otp);
  expect(again.stdout).toContain('this OTP was used before');
  expect(again.status).toBe(1);
  expect((await check(new VirtualYubikey().touch())).stdout).toContain(
    'the servers do not know this YubiKey',
  );
  expect((await check('not an otp')).stderr).toContain('not what a YubiKey types');
});

const answer =
  (status: number, body = ''): Lie =>
  (_, response) =>
    response.writeHead(status).end(body);

test.each<[string, Record<string, string | undefined>, Lie | undefined, string[]]>([
  ['an id that the server does not know', { id: '43' }, undefined, ['NO_SUCH_CLIENT', 'check id']],
  [
    'the key of another id',
    { key: `"${randomBytes(20).toString('base64')}"` },
    undefined,
    ['BAD_SIGNATURE', 'check id and key'],
  ],
  [
    'an answer with another signature',
    {},
    (honest, response) => response.end(honest.body().replace(/^h=.*$/m, `h=${'A'.repeat(27)}=`)),
    ['signature of the answer', 'check key'],
  ],
  ['authorities of somebody else', { ca: 'other.pem' }, undefined, ['SELF_SIGNED', 'PEM file with ca']],
  [
    'a name that nobody has',
    { urls: '["https://validation.invalid/"]' },
    undefined,
    ['validation.invalid: E', 'the name cannot be looked up'],
  ],
  ['no server', { urls: 'dead' }, undefined, ['ECONNREFUSED', 'nothing listens']],
  ['another web server', {}, answer(404), ['HTTP status 404', 'check urls']],
  ['a page', {}, answer(200, '<html></html>'), ['malformed', 'check urls']],
  ['a redirect', {}, answer(301), ['HTTP status 301', 'check urls']],
  [
    'silence',
    { deadline: '0.2' },
    () => undefined,
    ['no answer within the deadline', 'does not answer at all'],
  ],
])('%s is recognised, with advice', async (_, changes, lie, words) => {
  const given = { ...changes };
  if (given['ca'] !== undefined) {
    given['ca'] = `"${stage.dir}/${given['ca']}"`;
  }
  if (given['urls'] === 'dead') {
    given['urls'] = `["https://127.0.0.1:${await nobodyListens()}/"]`;
  }
  await start(given);
  server.lie = lie;
  const otp = yubikey.touch();
  const { status, stdout, stderr } = await check(otp);
  words.forEach((word) => expect(stdout).toContain(word));
  expect(status).toBe(1);
  expect(stderr).toContain('The check failed');
  const told = stdout + stderr + daemon!.log.lines.join('\n');
  [otp.slice(-32), API_KEY.toString('base64')].forEach((secret) => expect(told.includes(secret)).toBe(false));
});

test.each([
  ['no online mode', { mode: undefined }, 'has no mode = "online"'],
  ['a key file that is not there', { key: undefined, key_file: '"/nowhere/key"' }, '/nowhere/key'],
  ['a file of authorities without one', { ca: '"/etc/hostname"' }, 'no PEM certificate'],
])('%s is reported before the person is asked to touch', async (_, changes, words) => {
  await start(changes);
  const { status, stderr } = await command('', 'yubico', 'check');
  expect(stderr).toContain(words);
  expect(stderr).not.toContain('Touch');
  expect(status).toBe(1);
});

describe('a daemon that may open no sockets but AF_UNIX', () => {
  test('says so at its start, at the check, and lets in by what needs no network', async () => {
    stage.around = [around];
    await start();
    await daemon!.log.waitFor(/systemd gives the daemon no network.*EAFNOSUPPORT/);
    const { status, stderr } = await command('', 'yubico', 'check');
    expect(stderr).toContain('systemd gives the daemon no network');
    expect(status).toBe(1);
    await command('', 'add', 'yubikey', '--user', person.name);
    expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
  });

  test('says so when a line in pam.d brings an id and a key, and config.toml no mode', async () => {
    await start();
    const added = await command(
      `${yubikey.touch()}\n`,
      'add',
      'yubikey',
      '--user',
      person.name,
      '--name',
      'online',
    );
    expect(added.status).toBe(0);
    await daemon!.stop();
    stage.around = [around];
    stage.configure(NO_THROTTLE);
    daemon = await stage.start();
    const line = ['id=42', `key=${API_KEY.toString('base64')}`, `urllist=${server.url.href}`];
    const at = stage.service(...line, `cainfo=${stage.dir}/ca.pem`);
    expect((await logIn(stage, person.name, yubikey.touch(), { service: at })).rc).not.toBe(PAM.success);
    await daemon.log.waitFor(/YubiKeys cannot be looked up why=.*until \[yubico\] in config\.toml has mode/);
    await daemon.log.waitFor(/No validation server could check.*until \[yubico\] in config\.toml has mode/);
    await command('', 'remove', 'online', '--user', person.name, '--yes');
  });

  test('serves keys whose secrets it has', async () => {
    stage.around = [around];
    await start({ mode: '"offline"' });
    const line = `1,${offline.publicId},${offline.privateId.toString('hex')},${offline.aesKey.toString('hex')},,2026-01-02T03:04:05,\n`;
    writeFileSync(`${stage.dir}/key.csv`, line, { mode: 0o600 });
    const added = await command(
      `${offline.touch()}\n`,
      ...['add', 'yubikey', '--user', person.name, '--name', 'off', '--secrets-from', `${stage.dir}/key.csv`],
    );
    expect(added.status).toBe(0);
    const otp = offline.touch();
    expect((await logIn(stage, person.name, otp, { service })).rc).toBe(PAM.success);
    expect((await logIn(stage, person.name, otp, { service })).rc).toBe(PAM.denied);
    expect(daemon!.log.matching(/gives the daemon no network/)).toEqual([]);
  });
});

test('the keys of a central mapping come into the store, each once', async () => {
  await start();
  const file = `${stage.dir}/mappings`;
  writeFileSync(
    file,
    `# keys\n${person.name}:${yubikey.publicId}:ccccccbcgujh\nnobody-here:ccccccbcgujk\nbroken:1234\n`,
  );
  const first = await command('', 'yubico', 'import', '--authfile', file);
  expect(first.stderr).toContain('There is no user nobody-here');
  expect(first.stderr).toContain('line 4: a public id must be');
  expect(first.stdout).toContain(`${person.name}: YubiKey yubikey (`);
  expect(first.stdout).toContain('2 keys added, 0 were there already, 2 problems.');
  expect(first.status).toBe(1);
  const again = await command('', 'yubico', 'import', '--user', person.name, '--authfile', file);
  expect(again.stdout).toContain('0 keys added, 2 were there already, 1 problems.');
  expect((await logIn(stage, person.name, yubikey.plugIn().touch(), { service })).rc).toBe(PAM.success);
  writeFileSync(`${stage.dir}/open`, '', { mode: 0o666 });
  await run(['chmod', '666', `${stage.dir}/open`]);
  const open = await command('', 'yubico', 'import', '--authfile', `${stage.dir}/open`);
  expect(open.stderr).toContain('can be written by others');
});
