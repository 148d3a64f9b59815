import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type App } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run, runWell, type Ended } from '../harness/run.ts';
import { buildDeb, inMachine, newerDeb, whyNoDeb } from './deb.ts';
import { BASE_ROOT, Machine, whyNoMachine } from './machine.ts';
import { addPamClient, enrol, logIn, logInMany, type Person } from './people.ts';
import { prepareSsh, ssh } from './ssh.ts';

/* The Debian package in a fresh Debian 13: installed, used, upgraded during logins, removed, purged. */

const LOGINS = 200;
const WORKERS = 4;
const THINK_MS = 300;
const PEOPLE = LOGINS + 100;
const TEST_MS = 900_000;
const DAEMON = 'pve-authenticator.service';
const READER = 'pve-authenticator-files.service';
const MODULE = '/usr/lib/x86_64-linux-gnu/security/pam_pve_authenticator.so';
const LIB = '/usr/lib/pve-authenticator';
const CORRECT = { rc: 0 };
const PASSWORD = 'correct-horse';
/** The highest allowed exposure, by systemd-analyze. */
const EXPOSURE = { daemon: 0.8, online: 1.8, reader: 2.0 };

const missing = whyNoMachine() ?? (await whyNoDeb());
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: the Debian package in a machine with systemd: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('the Debian package', { timeout: TEST_MS }, () => {
  let machine: Machine;
  let deb: string;
  let pamBefore: string;
  let filesBefore: string[];
  let people: Person[];
  let alice: App;
  let next = 0;
  /** A code works once: everybody logs in once. */
  const person = (): Person => people[next++]!;

  const apt = (...argv: string[]): Promise<Ended> =>
    machine.run(['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '--yes', '--quiet', ...argv]);
  const pamFiles = (): Promise<string> => machine.shell('cd /etc/pam.d && sha256sum *');
  const pid = async (): Promise<number> =>
    Number(await machine.runWell(['systemctl', 'show', '--property', 'MainPID', '--value', DAEMON]));
  /** Names of files that have to do with the package. */
  const files = async (): Promise<string[]> =>
    (
      await machine.shell(
        'find / -xdev \\( -path /proc -o -path /sys -o -path /srv \\) -prune -o \\( -name "*pve[-_]*auth*" -o -name "*pve-google*" \\) -print',
      )
    )
      .split('\n')
      .filter((name) => name !== '')
      .sort();
  const exposure = async (unit: string): Promise<number> => {
    const { stdout } = await machine.run(['systemd-analyze', 'security', '--no-pager', unit]);
    const [, figure] = /Overall exposure level for \S+: ([0-9.]+)/.exec(stdout) ?? [];
    console.log(`systemd-analyze security ${unit}: ${figure}`);
    return Number(figure);
  };
  const until = async (what: string, is: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 120_000;
    while (!(await is())) {
      if (Date.now() > deadline) {
        throw new Error(`it never came: ${what}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };
  const sshAs = (code: string, password = PASSWORD): Promise<Ended> => ssh(machine, { password, code });

  beforeAll(async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    deb = await buildDeb('first');
    machine = await Machine.boot('volatile', BASE_ROOT);
    filesBefore = await files();
    pamBefore = await pamFiles();
  }, TEST_MS);
  afterAll(() => machine.stop());

  test('two builds in different environments are identical to the byte', async () => {
    const again = await buildDeb('second', ['TZ=Pacific/Auckland', 'LC_ALL=C', 'HOME=/nowhere']);
    expect(readFileSync(`${CHECKOUT}/${again}`).equals(readFileSync(`${CHECKOUT}/${deb}`))).toBe(true);
  });

  test('its version is that of package.json, and debian/copyright names all bundled packages', async () => {
    const { version, dependencies } = JSON.parse(readFileSync(`${CHECKOUT}/package.json`, 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
    };
    const copyright = readFileSync(`${CHECKOUT}/debian/copyright`, 'utf8');
    for (const name of Object.keys(dependencies)) {
      expect(copyright).toContain(`node_modules/${name.replace(/^(@[^/]+)\/.*/, '$1')}/*`);
    }
    expect((await runWell(['dpkg-deb', '--field', `${CHECKOUT}/${deb}`, 'Version'])).trim()).toBe(version);
  });

  test('installed as the README says, it brings no documentation of Node, which nodejs recommends', async () => {
    const [, words = ''] =
      /sudo apt (install .*)\.\/build\/deb\//.exec(readFileSync(`${CHECKOUT}/README.md`, 'utf8')) ?? [];
    const planned = await machine.run([
      ...['apt-get', '-o', 'APT::Install-Recommends=true', '--assume-no', ...words.trim().split(' ')],
      inMachine(deb),
    ]);
    const [, brought] = /NEW packages will be installed:\n((?: .*\n)+)/.exec(planned.stdout) ?? [];
    expect(brought).toMatch(/ nodejs\b/);
    expect(brought).not.toContain('nodejs-doc');
    const fields = await runWell(['dpkg-deb', '--field', `${CHECKOUT}/${deb}`, 'Provides', 'Recommends']);
    expect(fields.trim()).toBe('');
  });

  test('on a base system apt installs it with Node; everything runs, and no file of PAM has changed', async () => {
    expect((await machine.run(['sh', '-c', 'command -v node'])).stdout).toBe('');
    const installed = await apt('install', inMachine(deb));
    expect(installed.stderr + installed.stdout).toMatch(
      /no login asks for a code yet.*pve-google-authenticator enable sshd --nullok.*pve-google-authenticator confirm/s,
    );
    expect(installed.status).toBe(0);
    expect(await pamFiles()).toBe(pamBefore);
    for (const unit of [
      DAEMON,
      ...['', '-user', '-control', '-files'].map((name) => `pve-authenticator${name}.socket`),
      'pve-authenticator-health.timer',
    ]) {
      expect(await machine.runWell(['systemctl', 'is-active', unit])).toBe('active');
    }
    expect(
      await machine.shell(`cmp ${LIB}/pam_pve_authenticator.so ${MODULE} && stat -c '%U %a' ${MODULE}`),
    ).toBe('root 644');
    const verified = await machine.run([
      'sh',
      '-c',
      `systemd-analyze verify --man=no $(ls ${LIB.replace('pve-authenticator', 'systemd/system')}/pve-auth*)`,
    ]);
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    people = await enrol(machine, PEOPLE);
    addPamClient(machine);
  });

  test('a user sets up a phone; enable sshd; a login with its code; confirm from a login', async () => {
    await machine.shell(`
      useradd --create-home --shell /bin/sh alice
      printf '%s:${PASSWORD}\\n' alice root | chpasswd
      mkdir -p /run/systemd/timesync
      touch /run/systemd/timesync/synchronized`); // without network: somebody keeps the clock
    await prepareSsh(machine, 'PermitRootLogin yes');
    const setup = 'pve-google-authenticator -t -d -f -r 3 -R 30 -w 3 -C --json';
    alice = JSON.parse(await machine.runWell(['su', 'alice', '-c', setup])) as App;
    const add = ['pve-google-authenticator', 'add', 'totp', '--user', 'root', '--json'];
    const root = JSON.parse(await machine.runWell(add)) as App;
    const enabled = await machine.run(['pve-google-authenticator', 'enable', 'sshd']);
    console.log(`enable sshd: ${enabled.stdout}${enabled.stderr}`);
    expect(enabled.status).toBe(0);
    const code = codeOf(alice);
    expect(await sshAs(code)).toMatchObject({ status: 0, stdout: 'alice\n' });
    expect(await sshAs(code)).toMatchObject({ status: 255, stdout: '' });
    const confirmed = await ssh(machine, {
      user: 'root',
      password: PASSWORD,
      code: codeOf(root),
      command: ['pve-google-authenticator', 'confirm'],
    });
    console.log(`confirm: ${confirmed.stdout}${confirmed.stderr}`);
    expect(confirmed.status).toBe(0);
  });

  test('logcheck reports only the wrong code and the missing daemon of a normal run', async () => {
    await machine.shell('systemctl stop pve-authenticator.socket pve-authenticator.service');
    expect(await sshAs('')).toMatchObject({ status: 255 });
    await machine.shell('systemctl start pve-authenticator.socket pve-authenticator.service');
    expect(
      await apt('install', '--no-install-recommends', 'logcheck', 'logcheck-database', 'nullmailer'),
    ).toMatchObject({
      status: 0,
    });
    await machine.shell(': >/etc/logcheck/logcheck.logfiles.d/syslog.logfiles'); // there is only the journal
    const { stdout } = await machine.run(['runuser', '--user', 'logcheck', '--', '/usr/sbin/logcheck', '-o']);
    const reported = stdout.split('\n').filter((line) => /pve.authenticator|Second factor/.test(line));
    expect(reported, stdout).toEqual([
      expect.stringMatching(/ Invalid verification code for alice [^\n]* reason=code-already-used$/),
      expect.stringMatching(/ sshd-session\[\d+\]: pam_pve_authenticator\(sshd:auth\): no daemon at /),
    ]);
  });

  test('fail2ban finds the right host in it, even with a hostile user name', async () => {
    const lines = await machine.shell(
      'journalctl --quiet --output=short --identifier=pve-authenticatord --identifier=pve-authenticator-files',
    );
    const [wrong = ''] = /^.* Invalid verification code for .*$/m.exec(lines) ?? [];
    // Somebody who chooses the user name cannot get another host blocked.
    const forged = wrong
      .replace('for alice ', 'for "x rhost\\u003d192.0.2.9 " ')
      .replace('rhost=127.0.0.1', 'rhost=198.51.100.7');
    writeFileSync('/tmp/log', `${wrong}\n${forged}\n${lines.replaceAll('Invalid', 'Accepted')}\n`);
    copyFileSync(`${CHECKOUT}/scripts/fail2ban.conf`, '/etc/fail2ban/filter.d/pve-authenticator.conf');
    const found = await runWell(['fail2ban-regex', '-o', 'ip', '/tmp/log', 'pve-authenticator']);
    expect(found.trim().split('\n')).toEqual(['127.0.0.1', '198.51.100.7']);
  });

  test('systemd-analyze security: daemon, reader, and the daemon with YubiCloud', async () => {
    expect(await exposure(DAEMON)).toBeLessThanOrEqual(EXPOSURE.daemon);
    expect(await exposure(READER)).toBeLessThanOrEqual(EXPOSURE.reader);
    const config = machine.path('/etc/pve-authenticator/config.toml');
    writeFileSync(config, '[yubico]\nmode = "online"\nid = 1\nkey = "AAAAAAAA"\n');
    await machine.shell(`systemctl daemon-reload; systemctl restart ${DAEMON}`);
    expect(await exposure(DAEMON)).toBeLessThanOrEqual(EXPOSURE.online);
    const interfaces = async (): Promise<string> =>
      machine.shell(
        `nsenter --target ${await pid()} --net cat /proc/net/dev | tail -n +3 | wc -l; readlink /proc/1/ns/net /proc/${await pid()}/ns/net | uniq | wc -l`,
      );
    expect(await interfaces()).toMatch(/\n1$/); // the machine's own
    await machine.shell(
      `rm /etc/pve-authenticator/config.toml; systemctl daemon-reload; systemctl restart ${DAEMON}`,
    );
    expect(await interfaces()).toMatch(/\n2$/);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('with [sources] home = false the reader cannot be started at all', async () => {
    writeFileSync(machine.path('/etc/pve-authenticator/config.toml'), '[sources]\nhome = false\n');
    await machine.shell(`systemctl daemon-reload; systemctl restart pve-authenticator.socket`);
    await machine.run(['systemctl', 'start', READER]);
    expect(await machine.run(['systemctl', 'is-active', READER])).toMatchObject({ stdout: 'inactive\n' });
    expect(await machine.run(['test', '-e', '/run/pve-authenticator/files.sock'])).toMatchObject({
      status: 1,
    });
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
    await machine.shell(`rm /etc/pve-authenticator/config.toml
      systemctl daemon-reload; systemctl restart pve-authenticator.socket; systemctl restart ${DAEMON}`);
    expect(await machine.runWell(['systemctl', 'is-active', 'pve-authenticator-files.socket'])).toBe(
      'active',
    );
  });

  test('after kill -9, SIGSTOP and a crash loop the next login works', async () => {
    const next = async (what: string, since = performance.now()): Promise<void> => {
      expect(await logIn(machine, person())).toMatchObject(CORRECT);
      console.log(`${what}: the next login was through after ${(performance.now() - since).toFixed(0)} ms`);
    };
    await logIn(machine, person());
    await machine.shell(`systemctl kill --signal=KILL ${DAEMON}`);
    await next('kill -9');

    const hung = await pid();
    const stopped = performance.now();
    await machine.shell(`systemctl kill --signal=STOP ${DAEMON}`);
    await until('the health check sees that the daemon hangs', async () => (await pid()) !== hung);
    console.log(`SIGSTOP: restarted after ${((performance.now() - stopped) / 1000).toFixed(0)} s`);
    await next('SIGSTOP, restarted');

    await machine.dropIn(DAEMON, 'crash', ['ExecStart=', 'ExecStart=/bin/false']);
    await machine.shell(`systemctl restart ${DAEMON} || :`);
    const restarts = async (): Promise<number> =>
      Number(await machine.shell(`systemctl show --property NRestarts --value ${DAEMON}`));
    await until('it crashes again and again', async () => (await restarts()) >= 10);
    expect((await logIn(machine, person())).rc).not.toBe(0);
    await machine.dropIn(DAEMON, 'crash', undefined);
    await next('crash loop, mended');
  });

  test('what V8 compiled is there for the start, and is made anew for another Node', async () => {
    const inode = (): Promise<string> => machine.shell(`stat -c %i ${LIB}/dist/daemon/program.cache`);
    const before = await inode();
    await machine.shell('dpkg-trigger --by-package=nodejs /usr/bin/node; dpkg --triggers-only --pending');
    expect(await inode()).not.toBe(before);
  });

  test('a daemon that speaks the next version serves a module of this one', async () => {
    await machine.shell(`
      cp -a ${LIB}/dist/daemon ${LIB}/dist/next
      sed -i 's/version < 1 || version > 1/version < 1 || version > 2/' ${LIB}/dist/next/program.cjs
      grep -q 'version > 2' ${LIB}/dist/next/program.cjs`);
    await machine.dropIn(DAEMON, 'next', [
      'ExecStart=',
      `ExecStart=/usr/bin/node ${LIB}/dist/next/main.js --require-state`,
    ]);
    await machine.shell(`systemctl restart ${DAEMON}`);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
    await machine.dropIn(DAEMON, 'next', undefined);
    await machine.shell(`rm -r ${LIB}/dist/next; systemctl restart ${DAEMON}`);
  });

  test(`an upgrade during ${LOGINS} logins fails none, and the module is the last to come`, async () => {
    const newer = await newerDeb(deb, '99.0');
    const before = { pid: await pid(), module: await machine.shell(`stat -c %i ${MODULE}`) };
    const logins = logInMany(machine, person, LOGINS, WORKERS, THINK_MS);
    const upgraded = await apt('install', inMachine(newer));
    expect(upgraded).toMatchObject({ status: 0 });
    expect((await logins).map(({ rc }) => rc)).toEqual(Array.from({ length: LOGINS }, () => 0));
    expect(await pid()).not.toBe(before.pid);
    expect(await machine.shell(`stat -c %i ${MODULE}`)).not.toBe(before.module);
    expect(await machine.shell("dpkg-query -W -f '${Version}' pve-authenticator")).toBe('99.0');
  });

  test('where the new daemon does not answer, the module of before stays, and apt says so', async () => {
    await machine.dropIn(DAEMON, 'crash', ['ExecStart=', 'ExecStart=/bin/false']);
    const module = await machine.shell(`stat -c %i ${MODULE}`);
    const { status, stdout } = await apt('install', inMachine(await newerDeb(deb, '99.1')));
    expect(status).not.toBe(0);
    expect(stdout).toContain('the daemon does not answer');
    expect(await machine.shell(`stat -c %i ${MODULE}`)).toBe(module);
    await machine.dropIn(DAEMON, 'crash', undefined);
    expect(await machine.run(['dpkg', '--configure', '--pending'])).toMatchObject({ status: 0 });
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('an upgrade while the store is not mounted makes no new one, and nobody gets in', async () => {
    await machine.shell('mount -t tmpfs none /var/lib/pve-authenticator');
    const { stdout, stderr } = await apt('install', inMachine(await newerDeb(deb, '99.2')));
    expect(stdout + stderr).toContain('Is its file system mounted?');
    const { rc } = await logIn(machine, person());
    const made = await machine.run(['ls', '/var/lib/pve-authenticator/store.json']);
    await machine.shell(`systemctl stop ${DAEMON}; umount /var/lib/pve-authenticator`);
    expect([rc === 0, made.status]).toEqual([false, 2]);
    expect(await machine.shell("dpkg-query -W -f '${db:Status-Status} ${Version}' pve-authenticator")).toBe(
      'installed 99.2',
    );
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('what an administrator has stopped, or switched off, stays so over an upgrade', async () => {
    const units = `pve-authenticator.socket ${DAEMON}`;
    await machine.shell(`systemctl stop ${units}; systemctl disable ${DAEMON}`);
    expect(await apt('install', inMachine(await newerDeb(deb, '99.3')))).toMatchObject({ status: 0 });
    const is = async (what: string): Promise<string> =>
      (await machine.run(['systemctl', what, ...units.split(' ')])).stdout;
    expect([await is('is-enabled'), await is('is-active')]).toEqual([
      'enabled\ndisabled\n',
      'inactive\ninactive\n',
    ]);
    await machine.shell(`systemctl enable --now ${units}`);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('a removal that is called off while the store is not mounted makes no new one', async () => {
    await machine.shell(`
      printf '%s\\n' 'auth [success=1 default=bad] pam_pve_authenticator.so' 'auth requisite pam_deny.so' >/etc/pam.d/difficult
      mount -t tmpfs -o mode=700 none /var/lib/pve-authenticator
      chown pve-authenticator: /var/lib/pve-authenticator`);
    const { status, stdout, stderr } = await apt('remove', 'pve-authenticator');
    const made = await machine.run(['ls', '-A', '/var/lib/pve-authenticator']);
    await machine.shell(`
      systemctl stop ${DAEMON}
      umount /var/lib/pve-authenticator
      rm /etc/pam.d/difficult
      systemctl restart ${DAEMON}`);
    expect(status).not.toBe(0);
    expect(made.stdout).toBe('');
    expect(stdout + stderr).toContain('Is its file system mounted?');
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('removing is refused while a line is too difficult to take out', async () => {
    await machine.shell(
      `printf '%s\\n' 'auth [success=1 default=bad] pam_pve_authenticator.so' 'auth requisite pam_deny.so' >/etc/pam.d/difficult`,
    );
    const before = await pamFiles();
    const { status, stdout } = await apt('remove', 'pve-authenticator');
    expect(status).not.toBe(0);
    expect(stdout).toContain('/etc/pam.d/difficult:1:');
    expect(await pamFiles()).toBe(before);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
    await machine.shell('rm /etc/pam.d/difficult');
  });

  test('removed: the lines are out first, the password alone lets in, the factors stay', async () => {
    await machine.shell(
      `pam-auth-update --enable pve-authenticator; grep -q pve_authenticator /etc/pam.d/common-auth`,
    );
    const before = await machine.shell('cat /etc/pam.d/sshd');
    expect(before).toContain('pam_pve_authenticator');
    // Called while lines are removed; checks that the module still exists for logins at that moment.
    const witness = '/usr/sbin/pam-auth-update';
    await machine.shell(`
      mv ${witness} ${witness}.real
      printf '%s\\n' '#!/bin/sh' 'ls ${MODULE} >/tmp/witnessed 2>&1' 'exec ${witness}.real "$@"' >${witness}
      chmod 755 ${witness}`);
    const removed = await apt('remove', 'pve-authenticator');
    expect([removed.status, removed.stdout]).toEqual([0, expect.stringContaining('the factors stay in')]);
    expect(await machine.shell(`mv ${witness}.real ${witness}; cat /tmp/witnessed`)).toBe(MODULE);
    expect(
      await machine.shell(`grep -l '^[^#]*pam_pve_auth' /etc/pam.d/* || :; ls ${MODULE} 2>/dev/null || :`),
    ).toBe('');
    // The lines of "enable" are removed to the byte; a line that somebody wrote by hand is kept as a comment.
    const changed = (await pamFiles()).split('\n').filter((line) => !pamBefore.includes(line));
    expect(changed).toEqual([expect.stringMatching(/ code-only$/)]);
    expect(await sshAs('')).toMatchObject({ status: 0, stdout: 'alice\n' });
    expect(await sshAs('', 'wrong')).toMatchObject({ status: 255, stdout: '' });
    expect(await machine.shell('ls /var/lib/pve-authenticator/enrolments | grep -c person')).toBe(
      `${PEOPLE}`,
    );
  });

  test('installed over what "make install" left, it makes no store where none is mounted', async () => {
    // dpkg knows nothing of it; the owner of the store is left.
    await machine.shell('sed -i "/^Package: pve-authenticator$/,/^$/d" /var/lib/dpkg/status');
    await machine.shell(`
      systemctl stop ${DAEMON} 2>/dev/null || :
      mv /var/lib/pve-authenticator /var/lib/elsewhere
      mkdir /var/lib/pve-authenticator`);
    const { stdout, stderr } = await apt('install', inMachine(deb));
    const made = await machine.run(['ls', '-A', '/var/lib/pve-authenticator']);
    await machine.shell(`
      systemctl stop ${DAEMON}
      rm -r /var/lib/pve-authenticator
      mv /var/lib/elsewhere /var/lib/pve-authenticator
      systemctl restart ${DAEMON}`);
    expect(made.stdout).toBe('');
    expect(stdout + stderr).toContain('Is its file system mounted?');
  });

  test('installed again, everybody has their factors; purged, it says what it removes, and nothing is left', async () => {
    expect(await apt('install', inMachine(deb))).toMatchObject({ status: 0 });
    const [first] = people;
    expect(await machine.shell(`pve-google-authenticator list --plain | grep -c '^${first!.name}: '`)).toBe(
      '1',
    );
    const purged = await apt('purge', 'pve-authenticator');
    expect(purged).toMatchObject({ status: 0 });
    expect(purged.stdout).toContain(
      `removing /var/lib/pve-authenticator with the factors of ${PEOPLE + 2} users`,
    );
    expect((await files()).filter((name) => !filesBefore.includes(name))).toEqual([]);
    expect(readdirSync(machine.path('/run')).filter((name) => name.startsWith('pve-auth'))).toEqual([]);
    expect(await machine.run(['id', 'pve-authenticator'])).toMatchObject({ status: 1 });
    expect(
      await run(
        machine.inside(['systemctl', 'list-units', '--plain', '--no-legend', '--state=active', 'pve-auth*']),
      ),
    ).toMatchObject({ stdout: '' });
    expect(await sshAs('')).toMatchObject({ status: 0, stdout: 'alice\n' });
  });
});
