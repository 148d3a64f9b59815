import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { newAccount } from '../google/account.ts';
import { visit, writeService, type Visited } from '../google/host.ts';
import { describeInBox } from '../harness/box.ts';
import { hotpCode } from '../harness/code.ts';
import { command } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import { MODULE, useDaemon } from '../hosts/host.ts';

/* Imports from other programs, verified by logins: pam_oath's users file, an export of the app Google Authenticator. */

const KEY = Buffer.from('12345678901234567890');
const OTHER = Buffer.from('09876543210987654321');
const stepNow = (): number => Math.floor(Date.now() / 30_000);

describeInBox('brought from elsewhere', () => {
  const daemon = useDaemon();
  let confdir: string;

  beforeAll(() => {
    confdir = mkdtempSync('/tmp/brought-');
    chmodSync(confdir, 0o755);
    writeService(confdir, 'ours', MODULE);
  });

  const logIn = async (service: string, user: string, answer: string): Promise<Visited['end']> =>
    (
      await visit({
        confdir,
        service,
        user,
        answer,
        rhost: undefined,
        password: undefined,
        hurry: false,
        environment: process.env,
      })
    ).end;

  test('users of pam_oath go on where they stand: a used code stays used, the next one opens', async () => {
    const [event, timed] = [newAccount(), newAccount()];
    const file = `${confdir}/users.oath`;
    const key = KEY.toString('hex');
    writeFileSync(file, `# of pam_oath\nHOTP ${event.name} - ${key}\nHOTP/T30/6 ${timed.name} - ${key}\n`, {
      mode: 0o600,
    });
    writeService(confdir, 'oath', `pam_oath.so usersfile=${file} window=20`);
    const step = stepNow();
    expect(await logIn('oath', event.name, hotpCode(KEY, 0))).toBe('in');
    expect(await logIn('oath', event.name, hotpCode(KEY, 2))).toBe('in');
    expect(await logIn('oath', timed.name, hotpCode(KEY, step))).toBe('in');
    expect(readFileSync(file, 'utf8')).toMatch(/\t2\t\d{6}\t/);

    const imported = await command(daemon(), 'import', '--oath-users', file);
    expect(imported).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(
        new RegExp(`^${event.name}: imported .*hotp.*\n${timed.name}: imported .*totp.*\n$`),
      ) as string,
      stderr: expect.stringContaining('delete it') as string,
    });
    expect(imported.stdout + imported.stderr).not.toContain(key);

    expect(await logIn('ours', event.name, hotpCode(KEY, 2))).toBe('out');
    expect(await logIn('ours', event.name, hotpCode(KEY, 3))).toBe('in');
    expect(await logIn('ours', timed.name, hotpCode(KEY, step))).toBe('out');
    expect(await logIn('ours', timed.name, hotpCode(KEY, step + 1))).toBe('in');

    // A second import adds nothing, and says why.
    const again = await command(daemon(), 'import', '--oath-users', file);
    expect(again).toMatchObject({ status: 1, stdout: '' });
    expect(again.stderr).toContain(`${event.name}: `);
  });

  test('a users file with a bad line is not imported at all', async () => {
    const { name } = newAccount();
    const file = `${confdir}/bad.oath`;
    writeFileSync(file, `HOTP ${name} - ${KEY.toString('hex')}\nHOTP ${name} - abc\n`, { mode: 0o600 });
    expect(await command(daemon(), 'import', '--oath-users', file)).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringContaining(`${file}:2: the key must be pairs of hexadecimal digits`) as string,
    });
    expect((await command(daemon(), 'list', '--user', name, '--json')).stdout).toContain('"factors":[]');
  });

  test('of an export of the app only the account that is meant is taken', async () => {
    const { name } = newAccount();
    const field = (number: number, value: Buffer): Buffer =>
      Buffer.concat([Buffer.from([number * 8 + 2, value.length]), value]);
    const account = (secret: Buffer, label: string): Buffer =>
      field(1, Buffer.concat([field(1, secret), field(2, Buffer.from(label)), Buffer.from([0x30, 2])]));
    const data = Buffer.concat([account(OTHER, 'shop:me'), account(KEY, `pve1:${name}`)]).toString('base64');
    const uri = `otpauth-migration://offline?data=${encodeURIComponent(data)}\n`;

    const undecided = await command(daemon(), 'import', '--user', name, '--keys', '-');
    expect(undecided.status).toBe(1);
    const argv = (...more: string[]): string[] => ['import', '--user', name, '--keys', '-', ...more];
    const told = await withInput(uri, argv());
    expect(told.stderr).toContain('it holds 2 accounts: choose one with --account');
    expect(told.stderr).toContain(`"pve1:${name}"`);
    expect(await withInput(uri, argv('--account', 'PVE1'))).toMatchObject({ status: 0 });
    expect(await logIn('ours', name, hotpCode(OTHER, stepNow()))).toBe('out');
    expect(await logIn('ours', name, hotpCode(KEY, stepNow()))).toBe('in');
  });

  const withInput = (input: string, argv: readonly string[]): ReturnType<typeof run> =>
    run([process.execPath, 'dist/command/main.js', '--runtime-dir', daemon().runtimeDir, ...argv], input);
});
