import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { command, enrolTotp } from '../harness/daemon.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { codeOf } from '../harness/code.ts';
import { run } from '../harness/run.ts';
import { logIn, PAM } from './pam-login.ts';
import { asUser, AS_ROOT, notRun, Stage, STRANGER_UID, type Daemon } from './stage.ts';

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
  return JSON.parse((await command(stage, 'list', ...user, '--json')).stdout) as View[];
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
    const table = (await command(stage, 'list', name)).stdout;
    expect(table).toContain('phone');
    expect(table + JSON.stringify(view)).not.toContain(phone.secret);

    expect((await command(stage, 'remove', name, 'phone')).status).toBe(0);
    expect((await logIn(stage, name, codeOf({ secret: phone.secret }, 1), { service })).rc).toBe(PAM.denied);
    expect((await logIn(stage, name, tokenCode(), { service })).rc).toBe(PAM.success);

    const last = await command(stage, 'remove', name, view!.factors[1]!.id);
    expect(last.stdout).toContain('is not enrolled any more');
    const nullok = await logIn(stage, name, '', { service: stage.service('nullok') });
    expect(nullok).toMatchObject({ rc: PAM.ignored, shown: [] });
    await daemon.log.waitFor(new RegExp(`Factor totp:(phone|token) (added|removed) for ${name} `), 4);
    expect(daemon.log.lines.join('\n')).not.toContain(phone.secret);
  });

  test('is told what is wrong', async () => {
    const { name } = stage.person();
    for (const [argv, status, words] of [
      [['add', 'totp', 'nobody-of-this-name'], EXIT_FAILED, /There is no user nobody-of-this-name/],
      [['add', 'totp', name, '--name', 'phone'], EXIT_FAILED, /has a factor named phone already/],
      [['add', 'totp', name, '--name', 'a phone'], EXIT_FAILED, /name: letters, digits/],
      [['add', 'totp', name, '--period', '5'], EXIT_USAGE, /from 15 to 120/],
      [['remove', name, 'tablet'], EXIT_FAILED, /no such factor/],
      [['list', '../../etc/shadow'], EXIT_FAILED, /There is no user/],
      [['frobnicate'], EXIT_USAGE, /unknown command/],
    ] as const) {
      const ended = await command(stage, ...argv);
      expect(ended, argv.join(' ')).toMatchObject({ status, stdout: '' });
      expect(ended.stderr).toMatch(words);
    }
    expect((await viewsOf(name))[0]?.factors).toHaveLength(1);
  });
});

test('who is not root is refused, and told why', async () => {
  const person = stage.person({ uid: AS_ROOT ? STRANGER_UID : process.getuid!() });
  for (const argv of [
    ['list'],
    ['list', person.name],
    ['add', 'totp', person.name],
    ['remove', person.name, 'phone'],
  ]) {
    const ended = await run([
      ...asUser(AS_ROOT ? STRANGER_UID : process.getuid!()),
      ...[process.execPath, `${CHECKOUT}/dist/cli/main.js`, '--runtime-dir', stage.runtimeDir, ...argv],
    ]);
    expect(ended).toEqual({
      status: EXIT_FAILED,
      stdout: '',
      stderr: 'pve-google-authenticator: Only root may do that: try again with sudo\n',
    });
  }
  expect((await logIn(stage, person.name, person.code(), { service: stage.service() })).rc).toBe(PAM.success);
  if (!AS_ROOT) {
    notRun('the command of root', 'this needs root');
  }
});

test('without a daemon the command says where it looked', async () => {
  const { status, stderr } = await command({ runtimeDir: `${stage.dir}/nowhere` }, 'list');
  expect(status).toBe(EXIT_FAILED);
  expect(stderr).toContain(`The daemon cannot be reached at ${stage.dir}/nowhere/control.sock (ENOENT)`);
});
