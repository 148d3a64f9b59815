import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { ValidationServer } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { PAM } from '../daemon/pam-login.ts';
import { FULL, NO_THROTTLE, Stage, type Daemon, type Person } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';

const PROCESSES = 32;
const ROUNDS = FULL ? 20 : 3;
const API_KEY = randomBytes(20);
const YUBIKEYS = {
  online: new VirtualYubikey(),
  offline: new VirtualYubikey(),
  stranger: new VirtualYubikey(),
};

let stage: Stage;
let daemon: Daemon;
let client: string;
let service: string;
let server: ValidationServer;
let person: Person;
/** Everything that no log may hold. */
const otps: string[] = [];
const logs: Daemon['log'][] = [];

beforeAll(async () => {
  console.log(`yubikey: ${ROUNDS} rounds`);
  stage = await Stage.build();
  client = await stage.compile(`${CHECKOUT}/test/e2e/race/race-client.c`, 'race-client', '-lpam');
  const certificate = makeCertificate('IP:127.0.0.1');
  server = await new ValidationServer(certificate, API_KEY, [YUBIKEYS.online, YUBIKEYS.stranger]).listen();
  writeFileSync(`${stage.dir}/ca.pem`, certificate.cert);
  stage.configure(configuration(server.url.href));
  await start();
  service = stage.service('debug');
  person = stage.person();
  await add('online', []);
  const { publicId, privateId, aesKey } = YUBIKEYS.offline;
  const line = `1,${publicId},${privateId.toString('hex')},${aesKey.toString('hex')},,2026-01-02T03:04:05,\n`;
  writeFileSync(`${stage.dir}/key.csv`, line, { mode: 0o600 });
  await add('offline', ['--secrets-from', `${stage.dir}/key.csv`]);
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    console.log(`The daemon's log:\n${daemon.log.lines.slice(-40).join('\n')}`);
  }
});
afterAll(async () => {
  await stage.clear();
  await server.close();
});

function configuration(url: string): string {
  return `${NO_THROTTLE}
[yubico]
mode = "online"
id = 42
key = "${API_KEY.toString('base64')}"
urls = ["${url}"]
ca = "${stage.dir}/ca.pem"
deadline = 3
`;
}

async function start(): Promise<void> {
  daemon = await stage.start();
  logs.push(daemon.log);
}

function touch(which: keyof typeof YUBIKEYS): string {
  const otp = YUBIKEYS[which].plugIn().touch();
  otps.push(otp);
  return otp;
}

async function add(which: 'online' | 'offline', options: readonly string[]): Promise<void> {
  const command = ['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', stage.runtimeDir];
  const argv = [...command, 'add', 'yubikey', '--user', person.name, '--name', which, ...options];
  const { status, stdout, stderr } = await run(argv, `${touch(which)}\n`);
  expect(stderr + stdout).toContain(`YubiKey ${which}`);
  expect(status).toBe(0);
}

async function race(typed: readonly string[]): Promise<number[]> {
  const input = typed.map((text) => `${person.name} ${text}\n`).join('');
  const { stdout, stderr, status } = await run(
    [client, `${stage.dir}/pam.d`, service],
    input,
    stage.environment,
  );
  expect(`${status} ${stderr}`).toMatch(/^0 /);
  return (JSON.parse(stdout) as { rc: number[] }).rc;
}

const wins = (rc: readonly number[]): number => rc.filter((value) => value === PAM.success).length;
const crowd = (otp: string): string[] => Array.from({ length: PROCESSES }, () => otp);

describe.each(['online', 'offline'] as const)('a touch of a YubiKey that is checked %s', (which) => {
  test.for(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    `lets exactly one of ${PROCESSES} in: round %i`,
    async () => {
      const before = server.requests.length;
      // The budget of look-ups is for a minute.
      if (which === 'online') {
        await daemon.stop();
        await start();
      }
      expect(wins(await race(crowd(touch(which))))).toBe(1);
      expect(server.requests.length - before).toBe(which === 'online' ? 1 : 0);
    },
  );

  test('lets nobody in again after a restart and after kill -9', async () => {
    const otp = touch(which);
    expect(wins(await race([otp]))).toBe(1);
    await daemon.stop();
    await start();
    expect(wins(await race([otp, otp]))).toBe(0);
    await daemon.stop('SIGKILL');
    await start();
    expect(wins(await race([otp, otp]))).toBe(0);
    expect(wins(await race([touch(which)]))).toBe(1);
  });
});

test("a stranger's touch is sent nowhere", async () => {
  const before = server.requests.length;
  expect(wins(await race([touch('stranger')]))).toBe(0);
  expect(server.requests.length).toBe(before);
});

test('a server that lets an OTP through twice lets nobody in twice', async () => {
  const otp = touch('online');
  expect(wins(await race([otp]))).toBe(1);
  await daemon.stop();
  await start();
  server.lie = (honest, response) => {
    const counters: [string, string][] = [
      ['sessioncounter', String(YUBIKEYS.online.counters.counter)],
      ['sessionuse', '1'],
    ];
    const others = honest.parameters.filter(([name]) => name !== 'status' && !name.startsWith('session'));
    response.end(honest.body([...others, ...counters, ['status', 'OK']]));
  };
  expect(wins(await race([otp]))).toBe(0);
  server.lie = undefined;
});

test('without any server a touch is not accepted, and a code at the same prompt is', async () => {
  const dead = server.url.href;
  await server.close();
  await daemon.stop();
  stage.configure(configuration(dead));
  await start();
  expect(wins(await race([touch('online')]))).toBe(0);
  await daemon.log.waitFor(/No validation server could check a YubiKey.*ECONNREFUSED/);
  expect(wins(await race([person.code()]))).toBe(1);
  expect(wins(await race([touch('offline')]))).toBe(1);
});

test('no OTP, AES key or API key is in any log', () => {
  const text = logs.flatMap(({ lines }) => lines).join('\n');
  expect(text).toContain('factor=yubikey:online');
  const { aesKey, privateId } = YUBIKEYS.offline;
  const secrets = [API_KEY.toString('base64'), aesKey.toString('hex'), privateId.toString('hex')];
  for (const secret of [...otps.map((otp) => otp.slice(-32)), ...secrets]) {
    expect(text.includes(secret)).toBe(false);
  }
});
