import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { describeInBox } from '../harness/box.ts';
import { codeOf, counterCodeOf } from '../harness/code.ts';
import { startDaemon, type Daemon } from '../harness/daemon.ts';
import { daemonAccount, newAccount } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { atTerminal, type Step } from '../harness/terminal.ts';
import { MODULE } from '../hosts/host.ts';
import { sshTo, startSshServer, type SshServer } from '../hosts/ssh-server.ts';
import { securityDirectory } from './debian-module.ts';

const OURS = 'pam_pve_authenticator';
const GOOGLE = 'pam_google_authenticator';
const SERVICES = ['sshd', 'sudo', 'login'] as const;
type Service = (typeof SERVICES)[number];

/** As its manual says for scripts: time-based, used once, three tries in 30 seconds, a window of three. */
const TIME_BASED = '-t -d -f -q -r 3 -R 30 -w 3 -Q none -C';
const COUNTER_BASED = '-c -f -q -r 3 -R 30 -w 3 -Q none -C';
const PERIOD = 30;
/** Three logins at a terminal take less. */
const CALM_S = 12;

/** Somebody who enrolled with google-authenticator. */
interface Person {
  readonly name: string;
  readonly password: string;
  /** Lines of the state file. */
  readonly lines: readonly string[];
}

/** The typed answers, and whether the host lets the person in; a null code: none is asked for. */
type Visit = (person: Pick<Person, 'name' | 'password'>, code: string | null) => Promise<boolean>;

describeInBox('from pam_google_authenticator to us and back, by the name of the module alone', () => {
  let daemon: Daemon;
  let sshServer: SshServer;
  let directory: string | undefined;

  beforeAll(async () => {
    directory = await securityDirectory();
    if (directory === undefined) {
      notRun('the migration', 'libpam-google-authenticator is not installed');
      return;
    }
    copyFileSync(MODULE, `${directory}/${OURS}.so`);
    for (const service of SERVICES) {
      const file = `/etc/pam.d/${service}`;
      copyFileSync(file, `${file}.stock`);
      const line = `auth required ${GOOGLE}.so nullok`;
      writeFileSync(file, readFileSync(file, 'utf8').replace(/^@include common-auth$/m, `$&\n${line}`));
    }
    daemon = await startDaemon({
      runtimeDir: '/run/pve-authenticator',
      stateDir: '/var/lib/pve-authenticator',
      user: await daemonAccount(),
      arguments: ['--with-files'],
    });
    sshServer = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ]);
  });
  afterAll(async () => {
    if (directory === undefined) {
      return;
    }
    for (const service of SERVICES) {
      copyFileSync(`/etc/pam.d/${service}.stock`, `/etc/pam.d/${service}`);
    }
    await sshServer.stop();
    expect(await daemon.stop()).toBe(0);
  });

  /** Everything that an administrator has to do. */
  async function replace(from: string, to: string): Promise<void> {
    await runWell(['sed', '-i', `s/${from}/${to}/`, ...SERVICES.map((service) => `/etc/pam.d/${service}`)]);
  }

  async function at(module: string, visit: () => Promise<void>): Promise<void> {
    if (module === GOOGLE) {
      await visit();
      return;
    }
    await replace(GOOGLE, module);
    try {
      await visit();
    } finally {
      await replace(module, GOOGLE);
    }
  }

  const visits: Readonly<Record<Service, Visit>> = {
    sshd: async (person, code) => {
      const { screen } = await sshTo(sshServer, person, [], asked(/Password: $/, person.password, code));
      return isIn(screen, code, /in as \S+/);
    },
    sudo: async ({ name, password }, code) => {
      const prompt = /\[sudo\] password for \S+: $/;
      const again: Step = { expect: prompt, hidden: true, interrupt: true };
      const { screen } = await atTerminal(
        [...['setpriv', `--reuid=${name}`, `--regid=${name}`, '--init-groups'], 'sudo', '-k', 'id', '-un'],
        [...asked(prompt, password, code), again],
      );
      return isIn(screen, code, /^root\r?$/m);
    },
    login: async ({ name, password }, code) => {
      const steps = [{ expect: /login: $/, enter: name }, ...asked(/Password: $/, password, code)];
      const goes: Step = { expect: /Login incorrect[\s\S]*login: $/, hangUp: true };
      const { screen } = await atTerminal(['/bin/login'], [...steps, goes]);
      return isIn(screen, code, /in as \S+/);
    },
  };

  async function enrol(flags: string): Promise<Person> {
    const account = await newAccount();
    writeFileSync(`/etc/sudoers.d/${account.name}`, `${account.name} ALL=(ALL:ALL) ALL\n`, { mode: 0o440 });
    const home = `/home/${account.name}`;
    const asPerson = ['setpriv', `--reuid=${account.name}`, `--regid=${account.name}`, '--init-groups'];
    await runWell([...asPerson, 'env', `HOME=${home}`, 'google-authenticator', ...flags.split(' ')]);
    return { ...account, lines: readFileSync(`${home}/.google_authenticator`, 'utf8').split('\n') };
  }

  /** Codes that are computed now stay valid for the next logins. */
  async function calm(): Promise<void> {
    const left = PERIOD - ((Date.now() / 1000) % PERIOD);
    if (left < CALM_S) {
      await setTimeout(left * 1000 + 1);
    }
  }

  test.for(SERVICES)('%s: codes of the phone work before, with us, and after', async (service, { skip }) => {
    skip(directory === undefined);
    const person = await enrol(TIME_BASED);
    const secret = person.lines[0]!;
    await calm();
    const codes = [-1, 0, 1].map((steps) => codeOf({ secret }, steps));
    for (const [index, module] of [GOOGLE, OURS, GOOGLE].entries()) {
      await at(module, async () => {
        expect(await visits[service](person, codes[index]!), module).toBe(true);
      });
    }
  });

  test.for(SERVICES)(
    '%s: users without a file need no code, before, with us, and after',
    async (service, { skip }) => {
      skip(directory === undefined);
      const person = await newAccount();
      writeFileSync(`/etc/sudoers.d/${person.name}`, `${person.name} ALL=(ALL:ALL) ALL\n`, { mode: 0o440 });
      for (const module of [GOOGLE, OURS, GOOGLE]) {
        await at(module, async () => {
          expect(await visits[service](person, null), module).toBe(true);
        });
      }
    },
  );

  test.for([
    ['a code that we took, they take no more', [OURS, GOOGLE]],
    ['a code that they took, we take no more', [GOOGLE, OURS]],
  ] as const)('%s', async ([, modules], { skip }) => {
    skip(directory === undefined);
    const person = await enrol(TIME_BASED);
    await calm();
    const code = codeOf({ secret: person.lines[0]! });
    for (const [index, module] of modules.entries()) {
      await at(module, async () => {
        expect(await visits.sshd(person, code), module).toBe(index === 0);
      });
    }
  });

  test('printed codes: each works once, whoever takes it', async ({ skip }) => {
    skip(directory === undefined);
    const person = await enrol(TIME_BASED);
    const codes = person.lines.filter((line) => /^\d{8}$/.test(line));
    expect(codes).toHaveLength(5);
    const typed: [string, string, boolean][] = [
      [GOOGLE, codes[0]!, true],
      [OURS, codes[1]!, true],
      [GOOGLE, codes[1]!, false],
    ];
    for (const [module, code, good] of typed) {
      await at(module, async () => {
        expect(await visits.sshd(person, code), module).toBe(good);
      });
    }
    const { stdout } = await run(['grep', '-cE', '^[0-9]{8}$', `/home/${person.name}/.google_authenticator`]);
    expect(stdout.trim()).toBe('3');
  });

  test('counter-based codes go on counting', async ({ skip }) => {
    skip(directory === undefined);
    const person = await enrol(COUNTER_BASED);
    for (const [index, module] of [GOOGLE, OURS, GOOGLE].entries()) {
      const code = counterCodeOf({ secret: person.lines[0]! }, index + 1);
      await at(module, async () => {
        expect(await visits.sshd(person, code), module).toBe(true);
      });
    }
  });
});

/** Whether somebody got in; a code was asked for only if there is one. */
function isIn(screen: string, code: string | null, greeting: RegExp): boolean {
  expect(screen.includes('Verification code: '), screen).toBe(code !== null);
  return greeting.test(screen);
}

/** Password, and the code if one is asked for. */
function asked(prompt: RegExp, password: string, code: string | null): Step[] {
  const first: Step = { expect: prompt, hidden: true, enter: password };
  return code === null ? [first] : [first, { expect: /Verification code: $/, hidden: true, enter: code }];
}
