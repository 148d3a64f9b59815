import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { debianModule } from '../google/debian-module.ts';
import { visit, writeService, type Visited } from '../google/host.ts';
import { describeInBox } from '../harness/box.ts';
import { hotpCode } from '../harness/code.ts';
import { CHECKOUT, command } from '../harness/daemon.ts';
import { run as runAny } from '../harness/run.ts';
import { MODULE, useDaemon } from '../hosts/host.ts';
import {
  asItWas,
  enrolledUser,
  FILE_NAME,
  homeOf,
  sampleFiles,
  userWith,
  type GoogleUser,
} from './people.ts';

/* From pam_google_authenticator into the store and back, with real users, files and logins. */

const GENERATED = 960;
/** The options of google-authenticator, and their results after the import. */
const ENROLMENTS = [
  ['-t', '-d', '-r', '3', '-R', '30', '-w', '3'],
  ['-t', '-d', '-u', '-w', '17', '-e', '10'],
  ['-t', '-D', '-u', '-W', '-S', '45'],
  ['-c', '-u', '-w', '21', '-e', '0'],
];
const EACH = 10;
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const BYTES = Buffer.from('12345678901234567890');
const SECOND_MS = 1_000;
const PERIOD = 30;
const ROUNDS = process.env['ROUNDS'] === 'full' ? 40 : 12;

const IMPORTED = `${FILE_NAME}.imported`;
const stepNow = (): number => Math.floor(Date.now() / SECOND_MS / PERIOD);
const codeAt = (counter: number): string => hotpCode(BYTES, counter);

describeInBox('migration', () => {
  const daemon = useDaemon();
  let confdir: string;
  let peer: string | undefined;

  beforeAll(async () => {
    confdir = mkdtempSync('/tmp/migration-');
    writeService(confdir, 'ours', MODULE);
    peer = (await debianModule(confdir))?.line;
    writeService(confdir, 'peer', peer ?? 'pam_deny.so');
    chmodSync(confdir, 0o755);
  });

  const logIn = async (
    service: 'ours' | 'peer',
    { name: user }: GoogleUser,
    answer: string,
  ): Promise<Visited['end']> =>
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
  const run = (...argv: readonly string[]): ReturnType<typeof command> => command(daemon(), ...argv);
  const factorsOf = async ({ name }: GoogleUser): Promise<{ kind: string; codesLeft: number }[]> =>
    (JSON.parse((await run('list', '--user', name, '--json')).stdout) as { factors: [] }[])[0]!.factors;

  test('the files of 1,000 users come back byte for byte when nothing was used', async () => {
    const users = sampleFiles(GENERATED).map(userWith);
    for (const options of ENROLMENTS) {
      for (let number = 0; number < EACH; number++) {
        users.push(await enrolledUser(...options));
      }
    }
    expect(users).toHaveLength(1_000);
    const imported = await run('import', '--all');
    expect(imported).toMatchObject({ status: 0, stderr: expect.not.stringContaining('failed') });
    expect(imported.stdout).toMatch(/^1000 imported, 0 failed, \d+ users have no such file\.$/m);
    for (const user of users) {
      expect(homeOf(user)).toEqual(asItWas(user, IMPORTED));
    }
    const exported = await run('export', '--all');
    expect(exported).toMatchObject({ status: 0 });
    expect(exported.stdout).toMatch(/^1000 exported, 0 failed\.$/m);
    for (const user of users) {
      expect(homeOf(user)).toEqual({ ...asItWas(user), ...asItWas(user, IMPORTED) });
    }
    await run('export', '--all', '--remove', '--yes');
    expect((await run('list', '--json')).stdout).toBe('[]\n');
    users.forEach(({ file }) => rmSync(file));
  }, 600_000);

  test('phone, token and scratch codes work once each; codes that were used before never', async () => {
    const step = stepNow();
    const phone = userWith(
      `${SECRET}\n" WINDOW_SIZE 5\n" DISALLOW_REUSE ${step - 1}\n" TOTP_AUTH\n11111111\n22222222\n`,
    );
    expect(await run('import', '--user', phone.name)).toMatchObject({ status: 0 });
    expect(await logIn('ours', phone, codeAt(step - 1))).toBe('out');
    expect(await logIn('ours', phone, codeAt(step))).toBe('in');
    expect(await logIn('ours', phone, '11111111')).toBe('in');
    const other = userWith(phone.text.toString());
    await run('import', '--user', other.name);
    expect(await logIn('ours', other, '22222222')).toBe('in');
    expect(await logIn('ours', other, '22222222')).toBe('out');
    expect(await logIn('ours', other, '33333333')).toBe('out');

    const token = userWith(`${SECRET}\n" HOTP_COUNTER 7\n`);
    expect(await run('import', '--user', token.name)).toMatchObject({ status: 0 });
    expect(await logIn('ours', token, codeAt(6))).toBe('out');
    expect(await logIn('ours', token, codeAt(8))).toBe('in');
    expect(await logIn('ours', token, codeAt(8))).toBe('out');
  });

  test('after an export, codes that were used in the store are refused by Debian’s module; all others work', async () => {
    const step = stepNow();
    const phone = userWith(`${SECRET}\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n`);
    const token = userWith(`${SECRET}\n" HOTP_COUNTER 7\n`);
    await run('import', '--user', phone.name);
    await run('import', '--user', token.name);
    expect(await logIn('ours', phone, codeAt(step))).toBe('in');
    expect(await logIn('ours', phone, '11111111')).toBe('in');
    expect(await logIn('ours', token, codeAt(8))).toBe('in');
    for (const user of [phone, token]) {
      expect(await run('export', '--remove', '--user', user.name, '--yes')).toMatchObject({ status: 0 });
    }
    expect(readFileSync(phone.file, 'utf8')).toBe(
      `${SECRET}\n" DISALLOW_REUSE ${step - 2} ${step - 1} ${step}\n" TOTP_AUTH\n22222222\n`,
    );
    expect(readFileSync(token.file, 'utf8')).toBe(`${SECRET}\n" HOTP_COUNTER 9\n`);
    if (peer === undefined) {
      [phone, token].forEach(({ file }) => rmSync(file));
      process.stderr.write(
        '\n  not run: logins with the exported files: libpam-google-authenticator is not here\n\n',
      );
      return;
    }
    expect(await logIn('peer', phone, codeAt(step))).toBe('out');
    expect(await logIn('peer', phone, '11111111')).toBe('out');
    expect(await logIn('peer', phone, '22222222')).toBe('in');
    expect(await logIn('peer', phone, codeAt(step + 1))).toBe('in');
    expect(await logIn('peer', token, codeAt(8))).toBe('out');
    const next = /HOTP_COUNTER ([0-9]+)/.exec(readFileSync(token.file, 'utf8'))![1];
    expect(await logIn('peer', token, codeAt(Number(next)))).toBe('in');
    [phone, token].forEach(({ file }) => rmSync(file));
  });

  test('a file that lets codes be used again does so after the way back', async () => {
    const phone = userWith(`${SECRET}\n" WINDOW_SIZE 9\n" TOTP_AUTH\n`);
    await run('import', '--user', phone.name);
    const code = codeAt(stepNow());
    expect(await logIn('ours', phone, code)).toBe('in');
    expect(await logIn('ours', phone, code)).toBe('out');
    expect(await run('export', '--remove', '--user', phone.name, '--yes')).toMatchObject({ status: 0 });
    expect(readFileSync(phone.file)).toEqual(phone.text);
    if (peer !== undefined) {
      expect(await logIn('peer', phone, code)).toBe('in');
    }
    rmSync(phone.file);
  });

  test('users import their own file with a code of it; without a code, never one with more valid codes', async () => {
    const user = userWith(`${SECRET}\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n33333333\n`);
    const asUser = ['setpriv', `--reuid=${user.uid}`, `--regid=${user.uid}`, '--clear-groups', 'node'];
    const cli = [...asUser, `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', daemon().runtimeDir];
    expect((await runAny([...cli, 'import'], '')).status).toBe(1);
    expect(Object.keys(homeOf(user))).toEqual([FILE_NAME]);
    expect(await runAny([...cli, 'import'], '11111111\n')).toMatchObject({ status: 0 });
    expect(Object.keys(homeOf(user))).toEqual([IMPORTED]);
    expect(await factorsOf(user)).toMatchObject([{ kind: 'google-authenticator', codesLeft: 2 }]);
    expect(await logIn('ours', user, '11111111')).toBe('out');

    writeFileSync(user.file, `AAA${SECRET.slice(3)}\n" TOTP_AUTH\n44444444\n`, { mode: 0o600 });
    chownSync(user.file, user.uid, user.uid);
    expect((await runAny([...cli, 'import', '--replace'], '44444444\n')).status).toBe(1);
    expect(Object.keys(homeOf(user))).toEqual([FILE_NAME, IMPORTED]);
    expect(await logIn('ours', user, '22222222')).toBe('in');
    expect((await runAny([...cli, 'import', '--all'], '')).stderr).toContain('Only root may do that');
    rmSync(user.file);
  });

  test('a bad file is not imported at all, and says where and what; the others are', async () => {
    const bad = userWith(`${SECRET}\n" TOTP_AUTH\n" WINDOW_SIZE many\n" TIME_SKEW x\n11111111\n`);
    const open = userWith(`${SECRET}\n" TOTP_AUTH\n`);
    chmodSync(open.file, 0o622);
    const strange = userWith(`${SECRET}\n" TOTP_AUTH\n`);
    chownSync(strange.file, bad.uid, bad.uid);
    chmodSync(strange.file, 0o444);
    const good = userWith(`${SECRET}\n" TOTP_AUTH\n`);
    const ended = await run('import', '--all');
    expect(ended.status).toBe(1);
    expect(ended.stdout).toMatch(/^1 imported, 3 failed, /m);
    const lines = ended.stderr.split('\n');
    expect(lines).toContainEqual(
      `${bad.name}: ${bad.file}: line 3, WINDOW_SIZE: it has to be a number from 1 to 100: correct it, or delete the line`,
    );
    expect(lines).toContainEqual(expect.stringContaining(`${bad.file}: line 4, TIME_SKEW: `));
    expect(lines).toContainEqual(
      expect.stringContaining(`${open.file} can be written by others (mode 0622)`),
    );
    expect(lines).toContainEqual(expect.stringContaining(`${strange.file} belongs to uid ${bad.uid}`));
    expect(ended.stdout + ended.stderr).not.toContain(SECRET);
    for (const user of [bad, open, strange]) {
      expect(Object.keys(homeOf(user))).toEqual([FILE_NAME]);
      expect(await factorsOf(user)).toEqual([]);
    }
    expect(Object.keys(homeOf(good))).toEqual([IMPORTED]);
    [bad, open, strange].forEach(({ file }) => rmSync(file));
  });

  test('no old file is overwritten', async () => {
    const user = userWith(`${SECRET}\n" TOTP_AUTH\n`);
    writeFileSync(`${user.home}/${IMPORTED}`, 'older\n');
    await run('import', '--user', user.name);
    renameSync(`${user.home}/${IMPORTED}-2`, user.file);
    writeFileSync(`${user.home}/${IMPORTED}-2`, 'old\n');
    expect((await run('import', '--user', user.name)).stdout).toContain(`is now ${IMPORTED}-3`);
    expect(Object.keys(homeOf(user))).toEqual([IMPORTED, `${IMPORTED}-2`, `${IMPORTED}-3`]);
    expect(readFileSync(`${user.home}/${IMPORTED}`, 'utf8')).toBe('older\n');
    expect(await factorsOf(user)).toHaveLength(1);
  });

  test('a file that cannot be renamed is in the store, and the next try finishes it', async () => {
    const user = userWith(`${SECRET}\n" TOTP_AUTH\n11111111\n22222222\n`);
    chownSync(user.home, 0, 0);
    chmodSync(user.home, 0o755);
    const failed = await run('import', '--user', user.name);
    expect(failed).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/EACCES\. The store has it already/),
    });
    expect(await logIn('ours', user, '11111111')).toBe('in');
    chownSync(user.home, user.uid, user.uid);
    expect(await run('import', '--user', user.name)).toMatchObject({ status: 0 });
    expect(await factorsOf(user)).toMatchObject([{ kind: 'google-authenticator', codesLeft: 1 }]);
    expect(await logIn('ours', user, '11111111')).toBe('out');
  });

  test('killed at any moment, it loses nothing, and doing it again finishes it', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const user = userWith(`${SECRET}\n" HOTP_COUNTER ${round + 1}\n11111111\n`);
      const cli = [
        `${CHECKOUT}/dist/command/main.js`,
        '--runtime-dir',
        daemon().runtimeDir,
        'import',
        '--user',
        user.name,
      ];
      const child = spawn('node', cli, { stdio: 'ignore' });
      const ended = new Promise((resolve) => child.on('close', resolve));
      // Every other time right after the store has it; otherwise at any moment between the first request and the rename.
      const moment =
        round % 2 === 0
          ? daemon().log.waitFor(new RegExp(`imported for ${user.name} `))
          : sleep(100 + 5 * round);
      await Promise.race([moment, ended]);
      child.kill('SIGKILL');
      await ended;
      const [name] = Object.keys(homeOf(user));
      const inStore = (await factorsOf(user)).length;
      expect(name === FILE_NAME || inStore === 1).toBe(true);
      await run('import', '--user', user.name);
      expect(homeOf(user)).toEqual(asItWas(user, IMPORTED));
      expect(await factorsOf(user)).toMatchObject([{ kind: 'google-authenticator', codesLeft: 1 }]);
      expect(await logIn('ours', user, codeAt(round + 1))).toBe('in');
    }
  });

  test('files that secret= and user= name are found with --from and --as', async () => {
    const user = userWith(`${SECRET}\n" TOTP_AUTH\n11111111\n`);
    mkdirSync('/var/lib/codes');
    renameSync(user.file, `/var/lib/codes/${user.name}`);
    chownSync(`/var/lib/codes/${user.name}`, 0, 0);
    expect(
      await run('import', '--user', user.name, '--from', '/var/lib/codes/${USER}', '--as', 'root'),
    ).toMatchObject({
      status: 0,
    });
    expect(await logIn('ours', user, '11111111')).toBe('in');
    const copy = await run('export', '--user', user.name, '--to', '/root/${USER}');
    expect(copy).toMatchObject({ status: 0, stderr: expect.stringContaining('checks the store first') });
    expect(readFileSync(`/root/${user.name}`, 'utf8')).toBe(`${SECRET}\n" TOTP_AUTH\n`);
  });

  test('asks for missing settings', async () => {
    const user = userWith(`${SECRET}\n" TOTP_AUTH\n`);
    for (const [argv, status, words] of [
      [['import', '--user', user.name, '--all'], 2, /--user does not go with --all/],
      [['export'], 2, /give --user or --all/],
      [['import', '--user', 'nobody-of-this-name'], 1, /There is no user/],
      [['import', '--user', user.name, '--from', 'relative'], 1, /not the absolute path/],
      [
        ['import', '--user', user.name, '--from', '~/elsewhere'],
        1,
        /there is no .*elsewhere\n.*Nothing was imported/,
      ],
      [['export', '--user', user.name], 1, /No file was imported/],
    ] as const) {
      const ended = await run(...argv);
      expect(ended, argv.join(' ')).toMatchObject({ status, stdout: '' });
      expect(ended.stderr).toMatch(words);
    }
    rmSync(user.file);
  });

  test('an export overwrites nothing', async () => {
    const user = userWith(`${SECRET}\n" TOTP_AUTH\n11111111\n`);
    await run('import', '--user', user.name);
    writeFileSync(user.file, 'another\n', { mode: 0o600 });
    chownSync(user.file, user.uid, user.uid);
    const ended = await run('export', '--user', user.name, '--remove', '--yes');
    expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining('exists and differs') });
    expect(readFileSync(user.file, 'utf8')).toBe('another\n');
    expect(await factorsOf(user)).toHaveLength(1);
  });
});
