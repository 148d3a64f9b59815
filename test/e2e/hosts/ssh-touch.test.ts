/* SSH logins by touch: a YubiKey types its OTP and Enter in one go, at a real terminal. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeCertificate } from '../../unit/fixtures/certificates.ts';
import { ValidationServer } from '../../unit/fixtures/validation-server.ts';
import { VirtualYubikey } from '../../unit/fixtures/virtual-yubikey.ts';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT, startDaemon, type Daemon } from '../harness/daemon.ts';
import { daemonAccount, newPerson, type Person } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import type { Screen, Step } from '../harness/terminal.ts';
import { guard, MODULE, unguard } from './host.ts';
import { sshTo, startSshServer, type SshServer } from './ssh-server.ts';

const API_KEY = randomBytes(20);
const CONFIG = '/etc/pve-authenticator-test.toml';
const RUNTIME = '/run/pve-authenticator';
/** The password and the code in one string. */
const ONE_STRING = 'sshd-one-string';
const CODE = /Verification code: $/;
const PASSWORD = /Password: $/;

describeInBox('OpenSSH: a touch', () => {
  const yubikey = new VirtualYubikey();
  let server: ValidationServer;
  let daemon: Daemon;
  let ssh: SshServer;
  let oneString: SshServer;

  beforeAll(async () => {
    const certificate = makeCertificate('IP:127.0.0.1');
    server = await new ValidationServer(certificate, API_KEY, [yubikey]).listen();
    mkdirSync('/etc/pve-authenticator', { recursive: true });
    writeFileSync('/etc/pve-authenticator/ca.pem', certificate.cert);
    const yubico = ['mode = "online"', 'id = 42', `key = "${API_KEY.toString('base64')}"`];
    const where = [`urls = ["${server.url.href}"]`, 'ca = "/etc/pve-authenticator/ca.pem"', 'deadline = 5'];
    const rule = '[[rule]]\ngroup = "both"\naction = "both"\n';
    writeFileSync(CONFIG, `[yubico]\n${[...yubico, ...where].join('\n')}\n${rule}`, { mode: 0o644 });
    await runWell(['groupadd', 'both']);
    daemon = await startDaemon({
      runtimeDir: RUNTIME,
      stateDir: '/var/lib/pve-authenticator',
      user: await daemonAccount(),
      arguments: ['--config', CONFIG],
    });
    guard('sshd');
    const settings = [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ];
    ssh = await startSshServer('sshd', settings);
    writeFileSync(
      `/etc/pam.d/${ONE_STRING}`,
      `auth required ${MODULE} forward_pass\nauth required pam_unix.so try_first_pass\naccount required pam_unix.so\nsession required pam_permit.so\n`,
    );
    oneString = await startSshServer(ONE_STRING, settings);
  });
  afterAll(async () => {
    await oneString.stop();
    await ssh.stop();
    unguard('sshd');
    expect(await daemon.stop()).toBe(0);
    await server.close();
  });

  /** Somebody with a phone and the YubiKey. */
  async function owner(...groups: readonly string[]): Promise<Person> {
    const person = await newPerson(daemon);
    for (const group of groups) {
      await runWell(['usermod', '-aG', group, person.name]);
    }
    const argv = ['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', RUNTIME];
    const added = await run(
      [...argv, 'add', 'yubikey', '--user', person.name, '--name', 'blue'],
      `${touch()}\n`,
    );
    expect(added.stderr + added.stdout).toContain('YubiKey blue');
    return person;
  }

  const touch = (): string => yubikey.plugIn().touch();
  const hidden = (expected: RegExp, enter: string): Step => ({ expect: expected, hidden: true, enter });
  const logIn = (person: Person, ...steps: readonly Step[]): Promise<Screen> =>
    sshTo(ssh, person, [], [hidden(PASSWORD, person.password), ...steps]);

  function expectIn(seen: Screen, { name }: Person): void {
    expect(seen).toMatchObject({ unmet: null, status: 0 });
    expect(seen.screen).toContain(`in as ${name}`);
  }

  function expectOut(seen: Screen): void {
    expect(seen.status).toBeGreaterThan(0);
    expect(seen.screen).not.toContain('in as');
  }

  test('opens, once; capitals do not matter; a phone goes on working', async () => {
    const person = await owner();
    const otp = touch();
    expectIn(await logIn(person, hidden(CODE, otp)), person);
    await daemon.log.waitFor(
      new RegExp(`Accepted .* ${person.name} service=sshd .*factor=yubikey:blue verdict=ok`),
    );
    expectOut(await logIn(person, hidden(CODE, otp)));
    await daemon.log.waitFor(new RegExp(`Invalid .* ${person.name} .*reason=code-already-used`));
    expectIn(await logIn(person, hidden(CODE, touch().toUpperCase())), person);
    expectIn(await logIn(person, hidden(CODE, person.code())), person);
  });

  test('opens with the password before it, in one string', async () => {
    const person = await owner();
    const prompt = /Password & verification code: $/;
    const both = (password: string): Promise<Screen> =>
      sshTo(oneString, person, [], [hidden(prompt, `${password}${touch()}`)]);
    expectIn(await both(person.password), person);
    expectOut(await both('not-the-password'));
  });

  test('and a code are wanted where a rule says both, in either order', async () => {
    const person = await owner('both');
    expectIn(
      await logIn(person, hidden(CODE, touch()), hidden(/Now the verification code: $/, person.code())),
      person,
    );
    await daemon.log.waitFor(
      new RegExp(`Accepted .* ${person.name} .*factor=yubikey:blue\\+totp:phone verdict=ok`),
    );
    const other = await owner('both');
    expectIn(
      await logIn(other, hidden(CODE, other.code()), hidden(/Now touch your YubiKey: $/, touch())),
      other,
    );
    await daemon.log.waitFor(
      new RegExp(`Accepted .* ${other.name} .*factor=totp:phone\\+yubikey:blue verdict=ok`),
    );
  });

  test.each(['touch', 'code'])('where a rule says both, a %s alone does not open', async (which) => {
    const person = await owner('both');
    const [first, next, wrong] =
      which === 'touch'
        ? [touch(), /Now the verification code: $/, touch()]
        : [person.code(), /Now touch your YubiKey: $/, person.code()];
    expectOut(await logIn(person, hidden(CODE, first), hidden(next, wrong)));
    expect(daemon.log.matching(new RegExp(`Accepted .* ${person.name} `))).toEqual([]);
  });
});
