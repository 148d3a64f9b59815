/* A line of pam.d with pam_yubico's options, with Debian's libpam-yubico and with our module: only the module's name differs. */
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, mkdirSync, mkdtempSync, chmodSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { ValidationServer } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { newAccount, newPerson } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { MODULE, useDaemon } from '../hosts/host.ts';

const PEER = ['/lib/security/pam_yubico.so', '/usr/lib/security/pam_yubico.so'].find((file) =>
  existsSync(file),
);
const API_KEY = randomBytes(20);
const PAM = { success: 0, system: 4, ignored: 6, denied: 7, unavailable: 9, unknown: 10 } as const;

interface Came {
  readonly rc: number;
  readonly asked: readonly string[];
  /** PAM_AUTHTOK after it, undefined: none. */
  readonly password: string | undefined;
  readonly visibly: boolean;
}

/** What the client tells. */
interface Event {
  readonly ev: string;
  readonly msg?: string;
  readonly rc?: number;
  readonly hex?: string | null;
  readonly style?: string;
}

describeInBox("pam_yubico's line", () => {
  const daemon = useDaemon();
  const yubikey = new VirtualYubikey();
  const stranger = new VirtualYubikey();
  let server: ValidationServer;
  let directory: string;
  let alice: string;
  let uid: number;
  let bob: string;
  let options: string;
  let services = 0;

  beforeAll(async () => {
    if (PEER === undefined) {
      notRun('the comparison with pam_yubico', 'libpam-yubico is not installed');
    }
    directory = mkdtempSync('/tmp/line-');
    chmodSync(directory, 0o755);
    mkdirSync(`${directory}/pam.d`);
    const certificate = makeCertificate('IP:127.0.0.1');
    server = await new ValidationServer(certificate, API_KEY, [yubikey, stranger]).listen();
    writeFileSync(`${directory}/ca.pem`, certificate.cert, { mode: 0o644 });
    [alice, bob] = [(await newAccount()).name, (await newAccount()).name];
    uid = Number(await runWell(['id', '-u', alice]));
    const line = ['id=42', `key=${API_KEY.toString('base64')}`, `urllist=${server.url.href}`];
    options = [...line, `cainfo=${directory}/ca.pem`].join(' ');
    writeFileSync(`${directory}/mappings`, `# keys\n${alice}:ccccccbcgujh:${yubikey.publicId}\n`, {
      mode: 0o644,
    });
  });
  afterAll(async () => {
    rmSync(directory, { recursive: true });
    await server.close();
  });

  const modules = [...(PEER === undefined ? [] : [PEER]), MODULE];

  async function logIn(
    module: string,
    user: string,
    line: string,
    typed: string,
    stacked?: string,
  ): Promise<Came> {
    const service = `line-${++services}`;
    const probe = `auth optional ${CHECKOUT}/build/native-test/pam_probe.so\n`;
    writeFileSync(`${directory}/pam.d/${service}`, `${probe}auth required ${module} ${line}\n${probe}`);
    const items = stacked === undefined ? [] : ['-i', `AUTHTOK=${stacked}`];
    const client = [`${CHECKOUT}/build/native-test/pam-client`, '-k', '-d', `${directory}/pam.d`, ...items];
    const { stdout } = await run([...client, service, user, 'auth', 'authtok'], `${typed}\n`);
    // With debug the peer talks in between.
    const lines = stdout
      .split('\n')
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as Event);
    const prompts = lines.filter(({ ev }) => ev === 'prompt');
    const hex = lines.find(({ ev }) => ev === 'authtok')?.hex;
    return {
      rc: lines.find(({ ev }) => ev === 'op')?.rc ?? -1,
      asked: prompts.map(({ msg }) => msg ?? ''),
      password: typeof hex === 'string' ? Buffer.from(hex, 'hex').toString() : undefined,
      visibly: prompts.some(({ style }) => style === 'visible'),
    };
  }

  const central = (): string => `${options} authfile=${directory}/mappings`;
  const question = (): string[] => [`YubiKey for \`${alice}': `];

  test.each(modules)('%s lets a touch in, and leaves the password to the next module', async (module) => {
    const came = await logIn(module, alice, central(), yubikey.touch());
    expect(came).toEqual({ rc: PAM.success, asked: question(), password: undefined, visibly: false });
  });

  test.each(modules)('%s takes a password before the touch, and hands it on', async (module) => {
    const came = await logIn(module, alice, central(), `pass word${yubikey.touch()}`);
    expect(came).toMatchObject({ rc: PAM.success, asked: question(), password: 'pass word' });
  });

  test.each(modules)('%s with try_first_pass looks at the end of the password first', async (module) => {
    const line = `${central()} try_first_pass`;
    const came = await logIn(module, alice, line, '', `hunter2${yubikey.touch()}`);
    expect(came).toMatchObject({ rc: PAM.success, asked: [], password: 'hunter2' });
  });

  test.each(modules)('%s with use_first_pass never asks', async (module) => {
    const came = await logIn(module, alice, `${central()} use_first_pass`, yubikey.touch(), 'hunter2');
    expect(came).toMatchObject({ rc: PAM.denied, asked: [], password: 'hunter2' });
  });

  test.each(modules)('%s with verbose_otp shows what is typed', async (module) => {
    const came = await logIn(module, alice, `${central()} verbose_otp mode=client debug`, yubikey.touch());
    expect(came).toMatchObject({ rc: PAM.success, visibly: true });
  });

  test.each(modules)('%s refuses a touch that was used, and a key that is not hers', async (module) => {
    const otp = yubikey.touch();
    expect((await logIn(module, alice, central(), otp)).rc).toBe(PAM.success);
    expect((await logIn(module, alice, central(), otp)).rc).toBe(PAM.denied);
    const before = server.requests.length;
    expect((await logIn(module, alice, central(), stranger.touch())).rc).toBe(PAM.denied);
    expect(server.requests.length).toBe(before);
  });

  test.each(modules)(
    '%s with nullok does not ask users without a key; without nullok it refuses them',
    async (module) => {
      expect(await logIn(module, bob, `${central()} nullok`, '')).toMatchObject({
        rc: PAM.ignored,
        asked: [],
      });
      const came = await logIn(module, bob, central(), stranger.touch());
      expect(came.rc).toBe(module === MODULE ? PAM.denied : PAM.unknown);
      // So that nobody learns who has a key.
      expect(came.asked).toHaveLength(module === MODULE ? 1 : 0);
    },
  );

  test.each(modules)(
    '%s lets nobody pass when the authfile is not there, also with nullok',
    async (module) => {
      const { rc } = await logIn(module, alice, `${options} authfile=/nowhere nullok`, yubikey.touch());
      expect(rc).toBe(module === MODULE ? PAM.system : PAM.unavailable);
    },
  );

  test.each(modules)('%s reads the file in the home without authfile=', async (module) => {
    const home = `/home/${alice}/.yubico`;
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    writeFileSync(
      `${home}/authorized_yubikeys`,
      `${alice}:${yubikey.publicId}\n${bob}:${stranger.publicId}\n`,
    );
    [home, `${home}/authorized_yubikeys`].forEach((file) => chownSync(file, uid, uid));
    expect((await logIn(module, alice, options, yubikey.touch())).rc).toBe(PAM.success);
    expect((await logIn(module, alice, options, stranger.touch())).rc).toBe(PAM.denied);
  });

  test.each(modules)('%s with token_id_length= counts only keys of that length', async (module) => {
    const { rc } = await logIn(module, alice, `${central()} token_id_length=8 nullok`, yubikey.touch());
    // The peer: she has other tokens.
    expect(rc).toBe(module === MODULE ? PAM.ignored : PAM.denied);
  });

  test('differences: capitals are accepted, and the question follows a wrong stacked password', async () => {
    expect((await logIn(MODULE, alice, central(), yubikey.touch().toUpperCase())).rc).toBe(PAM.success);
    const came = await logIn(MODULE, alice, `${central()} try_first_pass`, yubikey.touch(), 'hunter2');
    expect(came).toMatchObject({ rc: PAM.success, asked: question(), password: 'hunter2' });
  });

  test('differences: without key= answers cannot be verified, so no touch counts', async () => {
    const line = central().replace(/key=\S+/, '');
    const before = server.requests.length;
    expect((await logIn(MODULE, alice, line, yubikey.touch())).rc).toBe(PAM.system);
    await daemon().log.waitFor(
      /YubiKeys cannot be looked up.*the key is missing, both on the line in pam\.d/,
    );
    expect(server.requests.length).toBe(before);
  });

  test('what would be unsafe or cannot be done lets nobody in, and the log says what to write', async () => {
    for (const [option, words] of [
      ['alwaysok', 'make the line'],
      ['mode=challenge-response', 'challenge-response'],
      ['urllist=http://127.0.0.1/', 'https:'],
      ['ldap_uri=ldap://x', 'write an authfile'],
    ] as const) {
      expect((await logIn(MODULE, alice, `${central()} ${option}`, yubikey.touch())).rc).toBe(PAM.denied);
      await daemon().log.waitFor(new RegExp(`option ${option.split('=')[0]!} in pam.d: nobody.*${words}`));
    }
  });

  test('a code of the store is no way round the authfile, but counts where keys are in the home', async () => {
    const carol = await newPerson(daemon());
    writeFileSync(`${directory}/carol`, `${carol.name}:${stranger.publicId}\n`, { mode: 0o644 });
    expect((await logIn(MODULE, carol.name, `${options} authfile=${directory}/carol`, carol.code())).rc).toBe(
      PAM.denied,
    );
    expect((await logIn(MODULE, carol.name, options, carol.code())).rc).toBe(PAM.success);
  });

  test('a file that others may write says nothing about anybody', async () => {
    writeFileSync(`${directory}/open`, `${alice}:${yubikey.publicId}\n`);
    chmodSync(`${directory}/open`, 0o666);
    expect((await logIn(MODULE, alice, `${options} authfile=${directory}/open`, yubikey.touch())).rc).toBe(
      PAM.denied,
    );
    await daemon().log.waitFor(/can be written by others/);
  });

  test('the API key on the line is in no log', () => {
    const text = daemon().log.lines.join('\n');
    expect(text).toContain('debug: login begun');
    expect(text.includes(API_KEY.toString('base64'))).toBe(false);
  });

  // Last: it takes the server away.
  test.each(modules)('%s cannot know anything without a server', async (module) => {
    const nobody = createServer().listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as { port: number };
    nobody.close();
    const line = central().replace(server.url.host, `127.0.0.1:${port}`);
    const { rc } = await logIn(module, alice, line, yubikey.touch());
    expect(rc).toBe(module === MODULE ? PAM.system : PAM.unavailable);
  });
});
