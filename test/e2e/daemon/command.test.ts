import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, enrolTotp } from '../harness/daemon.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { codeOf } from '../harness/code.ts';
import { run, type Ended } from '../harness/run.ts';
import { logIn, PAM } from './pam-login.ts';
import { asUser, AS_ROOT, notRun, PYTHON, Stage, STRANGER_UID, type Daemon } from './stage.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

let stage: Stage;
let daemon: Daemon;

beforeAll(async () => {
  stage = await Stage.build();
  daemon = await stage.start();
});
afterAll(() => stage.clear());

interface View {
  readonly user: string;
  readonly factors: readonly {
    readonly id: string;
    readonly name: string;
    readonly lastUsed: string | null;
  }[];
}

async function viewsOf(...user: readonly string[]): Promise<View[]> {
  return JSON.parse(
    (await command(stage, 'list', ...user.flatMap((name) => ['--user', name]), '--json')).stdout,
  ) as View[];
}

describe.runIf(AS_ROOT)('root', () => {
  test('adds, lists and removes factors; each opens as long as it is there', async () => {
    const { name } = stage.person({ enrolled: false });
    const service = stage.service();
    const phone = await enrolTotp(stage, name, '--name', 'phone');
    const token = await enrolTotp(stage, name, '--name', 'token', '--digits', '8', '--algorithm', 'sha256');
    const tokenCode = (): string => codeOf({ secret: token.secret, digits: 8, algorithm: 'sha256' });

    expect((await logIn(stage, name, codeOf({ secret: phone.secret }), { service })).rc).toBe(PAM.success);
    const [view] = await viewsOf(name);
    expect(view?.factors.map((factor) => factor.name)).toEqual(['phone', 'token']);
    expect(view?.factors[0]?.lastUsed).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(view?.factors[1]?.lastUsed).toBeNull();
    expect((await viewsOf()).map(({ user }) => user)).toContain(name);
    const table = (await command(stage, 'list', '--user', name)).stdout;
    expect(table).toContain('phone');
    expect(table + JSON.stringify(view)).not.toContain(phone.secret);

    expect((await command(stage, 'remove', 'phone', '--user', name, '--yes')).status).toBe(0);
    expect((await logIn(stage, name, codeOf({ secret: phone.secret }, 1), { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, name, tokenCode(), { service })).rc).toBe(PAM.success);

    const last = await command(stage, 'remove', view!.factors[1]!.id, '--user', name, '--yes');
    expect(last.stdout).toContain('is no longer enrolled');
    const nullok = await logIn(stage, name, '', { service: stage.service('nullok') });
    expect(nullok).toMatchObject({ rc: PAM.ignored, shown: [] });
    await daemon.log.waitFor(new RegExp(`Factor totp:(phone|token) (added|removed) for ${name} `), 4);
    expect(daemon.log.lines.join('\n')).not.toContain(phone.secret);
  });

  test('is told what is wrong', async () => {
    const { name } = stage.person();
    for (const [argv, status, words] of [
      [['add', 'totp', '--user', 'nobody-of-this-name'], EXIT_FAILED, /There is no user nobody-of-this-name/],
      [['add', 'totp', '--user', name, '--name', 'phone'], EXIT_FAILED, /has a factor named phone already/],
      [['add', 'totp', '--user', name, '--name', 'a phone'], EXIT_FAILED, /name: letters, digits/],
      [['add', 'totp', '--user', name, '--period', '5'], EXIT_USAGE, /from 15 to 120/],
      [['remove', 'tablet', '--user', name], EXIT_FAILED, /no such factor/],
      [['list', '--user', '../../etc/shadow'], EXIT_USAGE, /cannot be the name of a user/],
      [['frobnicate'], EXIT_USAGE, /unknown command/],
    ] as const) {
      const ended = await command(stage, ...argv);
      expect(ended, argv.join(' ')).toMatchObject({ status, stdout: '' });
      expect(ended.stderr).toMatch(words);
    }
    expect((await viewsOf(name))[0]?.factors).toHaveLength(1);
  });
});

const STRANGER = AS_ROOT ? STRANGER_UID : process.getuid!();

/** The command as somebody who is not root; the passwd database of this machine knows who that is. */
function asStranger(input: string, ...argv: readonly string[]): Promise<Ended> {
  const program = [process.execPath, `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', stage.runtimeDir];
  return run([...asUser(STRANGER), ...program, ...argv], input);
}

describe.runIf(AS_ROOT)('who is not root', () => {
  const stranger = 'nobody';

  test('gets the same answer about all other users', async () => {
    const { name } = stage.person();
    const refused =
      'pve-google-authenticator: You can do that only for yourself, and root for everybody: try again with sudo\n';
    for (const argv of [
      ['list', '--user', name],
      ['list', '--user', 'root'],
      ['list', '--user', 'nobody-of-this-name'],
      ['add', 'totp', '--user', name],
      ['remove', 'phone', '--user', name],
    ]) {
      expect(await asStranger('123456\n', ...argv)).toEqual({
        status: EXIT_FAILED,
        stdout: '',
        stderr: refused,
      });
    }
    expect((await asStranger('', 'repair')).stderr).toContain('Only root may do that');
  });

  test('enrols itself, sees itself, and changes that by proof only', async () => {
    const added = await asStranger('', 'add', 'totp', '--name', 'phone', '--json');
    const { secret } = JSON.parse(added.stdout) as { secret: string };
    expect(JSON.parse((await asStranger('', 'list', '--json')).stdout)).toMatchObject([
      { user: stranger, factors: [{ name: 'phone' }] },
    ]);
    const code = codeOf({ secret });
    const noProof = await asStranger('', 'remove', 'phone');
    expect(noProof).toMatchObject({ status: EXIT_FAILED, stdout: '' });
    expect(noProof.stderr).toMatch(
      /You already have a factor: this needs a code of it.*Your code: .*Nothing was changed/s,
    );
    expect((await asStranger('000000\n', 'remove', 'phone')).stderr).toContain('This code is wrong');
    expect((await asStranger(`${code}\n`, 'add', 'recovery')).status).toBe(0);
    expect((await asStranger(`${code}\n`, 'remove', 'phone')).stderr).toContain('This code was used before');
    await daemon.log.waitFor(
      new RegExp(`Invalid verification code for ${stranger} service=control reason=wrong-code`),
    );
    expect((await command(stage, 'remove', 'phone', '--user', stranger, '--yes')).status).toBe(0);
    expect((await command(stage, 'remove', 'codes', '--user', stranger, '--yes')).status).toBe(0);
    expect(daemon.log.lines.join('\n')).not.toContain(secret);
  });

  test.each([1, 50])(
    'leaves the daemon serving logins after 10,000 malformed requests, %i at once',
    async (atOnce) => {
      const person = stage.person();
      const flood = run([
        ...asUser(STRANGER),
        PYTHON,
        `${CHECKOUT}/test/e2e/daemon/control-flood.py`,
        stage.socket('control'),
        '10000',
        String(atOnce),
      ]);
      const service = stage.service();
      expect((await logIn(stage, person.name, person.code(), { service })).rc).toBe(PAM.success);
      const { status, stdout } = await flood;
      expect([status, stdout]).toEqual([0, '10000\n']);
      expect((await logIn(stage, person.name, person.code(1), { service })).rc).toBe(PAM.success);
      expect((await asStranger('', 'list')).status).toBe(0);
      expect(daemon.log.lines.length).toBeLessThan(1_000);
    },
  );
});

test('callers cannot claim to be root', async () => {
  if (!AS_ROOT) {
    notRun('the command of root and of users', 'this needs root');
  }
  const ended = await asStranger('', 'list', '--user', 'root');
  expect(ended).toMatchObject({ status: EXIT_FAILED, stdout: '' });
});

test('without a daemon the command says where it looked', async () => {
  const { status, stderr } = await command({ runtimeDir: `${stage.dir}/nowhere` }, 'list');
  expect(status).toBe(EXIT_FAILED);
  expect(stderr).toContain(`The daemon cannot be reached at ${stage.dir}/nowhere/control.sock (ENOENT)`);
});
