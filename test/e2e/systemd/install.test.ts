import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type App } from '../harness/code.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell, type Ended } from '../harness/run.ts';
import { CHECKOUT_THERE, Machine, whyNoMachine } from './machine.ts';
import { addPamClient, enrol, logIn, logInMany, SERVICE, type Person } from './people.ts';
import { prepareSsh, ssh, SSH_FILES } from './ssh.ts';

/* `make install` and `make uninstall` in a Debian 13 with systemd, and logins through what they install. */

const FULL = process.env['ROUNDS'] === 'full';
const PEOPLE = 10_000;
const LOGINS = 200;
const WORKERS = 4;
const THINK_MS = 200;
const RESTART_MS = 1_000;
const KILLS = FULL ? 50 : 5;
const STARTS = FULL ? 40 : 10;
const LOGINS_UNDER_LOAD = FULL ? 2_000 : 400;
const MEMORY_KIB = 80 * 1024;
const TEST_MS = 900_000;
const UNIT = 'pve-authenticator.service';
const READER = 'pve-authenticator-files.service';
const SOCKETS = ['', '-user', '-control', '-files'].map((name) => `pve-authenticator${name}.socket`);
const MODULE = '/usr/lib/*/security/pam_pve_authenticator.so';
const CORRECT = { rc: 0 };

/** In words. */
const spread = (milliseconds: number[]): string => {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) =>
    sorted[at]!.toFixed(0),
  );
  return `${least} to ${most} ms, median ${median} ms`;
};

const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: the installation in a machine with systemd: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('in a Debian 13 with systemd', { timeout: TEST_MS }, () => {
  let machine: Machine;
  let people: Person[];
  let filesBefore: string[];
  let pamBefore: string;
  let next = 0;
  /** A code works once: everybody logs in once. */
  const person = (): Person => people[next++]!;

  const make = (...argv: string[]): Promise<Ended> =>
    machine.run(['make', '--no-print-directory', '-C', CHECKOUT_THERE, ...argv]);
  const show = (property: string): Promise<string> =>
    machine.runWell(['systemctl', 'show', '--property', property, '--value', UNIT]);
  const pid = async (): Promise<number> => Number(await show('MainPID'));
  /** Names of files that the machine did not write by itself. */
  const files = async (): Promise<string[]> => {
    const changing = '/proc /sys /dev /run /tmp /srv /var/log /var/lib/systemd /var/tmp /etc/pam.d';
    const prune = changing.split(' ').map((path) => `-path ${path}`);
    return (await machine.shell(`find / \\( ${prune.join(' -o ')} \\) -prune -o -print`)).split('\n').sort();
  };
  const pamFiles = (): Promise<string> => machine.shell('cd /etc/pam.d && sha256sum *');
  const owners = (): Promise<string> =>
    machine.shell('cd /run/pve-authenticator && stat -c "%n %U %a" . volatile *.sock');
  const inodes = (): Promise<string> => machine.shell('stat -c "%n %i" /run/pve-authenticator/*.sock');

  /** Does something again and again while logins run, and says how often. */
  const during = async <T>(
    logins: Promise<T>,
    what: () => Promise<unknown>,
    pauseMs: number,
  ): Promise<[T, number]> => {
    const state = { running: true };
    let times = 0;
    const over = logins.finally(() => (state.running = false));
    while (state.running) {
      await what();
      times += 1;
      await Promise.race([over, new Promise((resolve) => setTimeout(resolve, pauseMs))]);
    }
    return [await logins, times];
  };

  beforeAll(async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    machine = await Machine.boot();
    filesBefore = await files();
    pamBefore = await pamFiles();
  });
  afterAll(() => machine.stop());

  test('without root, without DESTDIR, it says what to do and does nothing', async () => {
    const { status, stderr } = await machine.run([
      'setpriv',
      '--reuid=65534',
      '--clear-groups',
      'make',
      '-C',
      CHECKOUT_THERE,
      'install',
    ]);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain('sudo make install');
    expect(await files()).toEqual(filesBefore);
  });

  test('a Node that the daemon cannot get at is refused, wherever a link to it is', async () => {
    await machine.shell('cp /usr/bin/node /srv/node; ln -s /srv/node /usr/local/bin/linked-node');
    for (const node of ['/srv/node', '/usr/local/bin/linked-node', 'node']) {
      const { status, stderr } = await make('install', `NODE=${node}`);
      expect(status).toBeGreaterThan(0);
      expect(stderr).toMatch(/the daemon cannot get at|has to be an absolute path/);
    }
    await machine.shell('rm /srv/node /usr/local/bin/linked-node');
    expect(await files()).toEqual(filesBefore);
  });

  test('make install puts everything into place, and no file of PAM', async () => {
    const installed = await make('install');
    expect(installed).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('A new store was made') as string,
    });
    expect(installed.stdout).toContain('No login asks for a code yet');
    expect(await pamFiles()).toBe(pamBefore);
    expect(await machine.shell(`ls ${MODULE}`)).toBe(
      '/usr/lib/x86_64-linux-gnu/security/pam_pve_authenticator.so',
    );
    for (const socket of SOCKETS) {
      expect(await machine.runWell(['systemctl', 'is-active', socket])).toBe('active');
    }
    expect(await machine.runWell(['systemctl', 'is-enabled', SOCKETS[0]!])).toBe('enabled');
    // The command's suggestion if no daemon answers.
    expect(await machine.run(['systemctl', 'status', 'pve-authenticator.socket'])).toMatchObject({
      status: 0,
    });
    expect(await machine.runWell(['pve-google-authenticator', 'list', '--json'])).toBe('[]');
    expect(await machine.shell('stat -c "%U %G %a" /var/lib/pve-authenticator')).toBe(
      'pve-authenticator pve-authenticator 700',
    );
    people = await enrol(machine, PEOPLE);
    addPamClient(machine);
  });

  test('the units have no fault that systemd sees, and the example of the configuration none that the daemon sees', async () => {
    expect(
      await machine.run(['systemd-analyze', 'verify', '--man=no', UNIT, READER, ...SOCKETS]),
    ).toMatchObject({
      status: 0,
      stderr: '',
    });
    const example = '/usr/share/doc/pve-authenticator/config.example.toml';
    const { stderr } = await machine.run([
      'node',
      '/usr/lib/pve-authenticator/dist/daemon/main.js',
      '--state-dir',
      '/nowhere',
      '--require-state',
      '--config',
      example,
    ]);
    expect(stderr).toContain('/nowhere cannot be opened');
  });

  test('a login starts the daemon; who listens is root, and the directory of the sockets is', async () => {
    const expected = [
      ...['. root 755', 'volatile pve-authenticator 700'],
      ...['control.sock root 666', 'files.sock pve-authenticator 600'],
      ...['pam.sock root 600', 'user.sock root 666'],
    ];
    for (const way of ['stop', 'restart', 'kill --signal=KILL']) {
      await machine.shell(`systemctl ${way} ${UNIT}`);
      // The module refuses a socket that root did not open.
      expect(await logIn(machine, person())).toMatchObject(CORRECT);
      expect((await owners()).split('\n')).toEqual(expected);
      expect(await machine.shell(`ps -o user:20= -p ${await pid()}`)).toBe('pve-authenticator');
    }
  });

  test('a file of pam_google_authenticator is read by the reader, which is started for it, and works once', async () => {
    await machine.shell(`
      useradd --create-home --shell /bin/sh carol
      printf '%s\\n' JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP '" TOTP_AUTH' 12345678 >/home/carol/.google_authenticator
      chmod 400 /home/carol/.google_authenticator
      chown carol: /home/carol/.google_authenticator`);
    const carol: Person = { name: 'carol', code: () => '12345678' };
    expect(await machine.run(['systemctl', 'is-active', READER])).toMatchObject({ stdout: 'inactive\n' });
    expect(await logIn(machine, carol)).toMatchObject(CORRECT);
    expect(await logIn(machine, carol)).toMatchObject({ rc: 7 });
    expect(await machine.shell('stat -c "%U %a" /home/carol/.google_authenticator')).toBe('carol 400');
    const capabilities = await machine.shell(
      `grep CapBnd /proc/$(systemctl show --property MainPID --value ${READER})/status`,
    );
    expect(capabilities).toBe('CapBnd:\t00000000000000c0');
    await machine.shell('userdel --remove carol');
  });

  test('sshd asks for the code, and lets in with it once', async () => {
    await machine.shell(`
      useradd --create-home --shell /bin/sh alice
      echo alice:correct-horse | chpasswd
      sed -i '/^@include common-auth/a auth required pam_pve_authenticator.so' /etc/pam.d/sshd`);
    await prepareSsh(machine);
    const app = JSON.parse(
      await machine.runWell(['pve-google-authenticator', 'add', 'totp', '--user', 'alice', '--json']),
    ) as App;
    const code = codeOf(app);
    const logInOverSsh = (): Promise<Ended> => ssh(machine, { password: 'correct-horse', code });
    expect(await logInOverSsh()).toMatchObject({ status: 0, stdout: 'alice\n' });
    expect(await logInOverSsh()).toMatchObject({ status: 255, stdout: '' });
    expect(await machine.shell('journalctl --identifier=pve-authenticatord --output=cat')).toMatch(
      /^Accepted verification code for alice service=sshd /m,
    );
  });

  test(`a restart each second loses none of ${LOGINS} logins`, async () => {
    const [logins, restarts] = await during(
      logInMany(machine, person, LOGINS, WORKERS, THINK_MS),
      () => machine.runWell(['systemctl', 'restart', UNIT]),
      RESTART_MS,
    );
    console.log(`${LOGINS} logins by ${WORKERS} workers over ${restarts} restarts`);
    expect(logins.map(({ rc }) => rc)).toEqual(Array.from({ length: LOGINS }, () => 0));
    expect(restarts).toBeGreaterThan(3);
  });

  test(`the next login works after kill -9 in the middle of logins, ${KILLS} times`, async () => {
    for (let round = 0; round < KILLS; round += 1) {
      const racing = logInMany(machine, person, 8, WORKERS);
      await new Promise((resolve) => setTimeout(resolve, 40 * (round % 10)));
      await machine.runWell(['systemctl', 'kill', '--signal=KILL', UNIT]);
      expect(await logIn(machine, person())).toMatchObject(CORRECT);
      await racing;
    }
  });

  test('make install again: the sockets and the store stay, the daemon is new, no login is lost', async () => {
    const before = { inodes: await inodes(), pid: await pid() };
    const module = await machine.shell(`stat -c %i ${MODULE}`);
    const store = readFileSync(machine.path('/var/lib/pve-authenticator/store.json'));
    const [logins, installations] = await during(
      logInMany(machine, person, 60, WORKERS),
      async () => expect(await make('install')).toMatchObject({ status: 0, stderr: '' }),
      0,
    );
    expect(logins.map(({ rc }) => rc)).toEqual(Array.from({ length: 60 }, () => 0));
    expect(installations).toBeGreaterThan(0);
    expect(await inodes()).toBe(before.inodes);
    expect(await pid()).not.toBe(before.pid);
    expect(await machine.shell(`stat -c %i ${MODULE}`)).not.toBe(module);
    expect(readFileSync(machine.path('/var/lib/pve-authenticator/store.json'))).toEqual(store);
    expect(await machine.shell('ls -A /usr/lib | grep pve-auth')).toBe('pve-authenticator');
  });

  test('where the file system of the store is not mounted, an upgrade makes no new one, and nobody gets in', async () => {
    await machine.shell('mount -t tmpfs none /var/lib/pve-authenticator');
    const { status, stderr } = await make('install');
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain('Is its file system mounted?');
    expect((await logIn(machine, person())).rc).not.toBe(0);
    await machine.shell(`systemctl stop ${UNIT}; umount /var/lib/pve-authenticator`);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('where systemd does not run, the files are put into place, and it says what to start', async () => {
    const hidden = `mount -t tmpfs none /run/systemd && make -C ${CHECKOUT_THERE} install`;
    const { status, stdout } = await machine.run(['unshare', '--mount', 'sh', '-c', hidden]);
    expect(stdout).toContain('systemctl start pve-authenticator.socket');
    expect(status).toBe(0);
  });

  test(`the daemon stays within 80 MB with ${PEOPLE} people under load`, async () => {
    const memory = async (): Promise<Record<string, number>> => {
      const status = readFileSync(machine.path(`/proc/${await pid()}/status`), 'utf8');
      return Object.fromEntries(
        [...status.matchAll(/^(VmRSS|VmHWM):\s+(\d+) kB$/gm)].map(([, name, kib]) => [name!, Number(kib)]),
      );
    };
    await machine.runWell(['systemctl', 'restart', UNIT]);
    await logIn(machine, person());
    const idle = await memory();
    const begun = performance.now();
    const logins = await logInMany(machine, person, LOGINS_UNDER_LOAD, 16);
    const seconds = (performance.now() - begun) / 1000;
    const loaded = await memory();
    await machine.runWell(['pve-google-authenticator', 'list']);
    const listed = await memory();
    console.log(
      `Resident memory in KiB: ${idle['VmRSS']} after the first login, ${loaded['VmRSS']} after ${logins.length} logins ` +
        `in ${seconds.toFixed(1)} s, ${listed['VmRSS']} after a list of all; at most ${loaded['VmHWM']} and ${listed['VmHWM']}`,
    );
    expect(logins.filter(({ rc }) => rc !== 0)).toEqual([]);
    expect(loaded['VmHWM']).toBeLessThanOrEqual(MEMORY_KIB);
  });

  test('how long the first answer takes', async () => {
    const times: number[] = [];
    for (let round = 0; round < STARTS; round += 1) {
      await machine.runWell(['systemctl', 'stop', UNIT]);
      const { rc, askedAt } = await logIn(machine, person());
      expect(rc).toBe(0);
      times.push(askedAt - Number(await show('ExecMainStartTimestampMonotonic')) / 1000);
    }
    const alone: number[] = [];
    for (let round = 0; round < STARTS; round += 1) {
      const begun = performance.now();
      await machine.runWell(['node', '--eval', '0']);
      alone.push(performance.now() - begun);
    }
    console.log(
      `From the start of the daemon to its first question, ${STARTS} times: ${spread(times)}; ` +
        `to start Node and end it, for comparison: ${spread(alone)}`,
    );
  });

  test('what V8 compiled is there for the start', async () => {
    const cache = await machine.runWell([
      'stat',
      '-c',
      '%a %U',
      '/usr/lib/pve-authenticator/dist/daemon/program.cache',
    ]);
    expect(cache).toBe('644 root');
  });

  test('make uninstall refuses while a file of PAM names the module', async () => {
    const before = await files();
    const { status, stderr } = await make('uninstall');
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain(`/etc/pam.d/${SERVICE}:1:auth required pam_pve_authenticator.so nullok`);
    expect(stderr).toMatch(/^\/etc\/pam\.d\/sshd:\d+:auth required pam_pve_authenticator\.so$/m);
    expect(await files()).toEqual(before);
    expect(await logIn(machine, person())).toMatchObject(CORRECT);
  });

  test('then it leaves nothing but the store and its owner', async () => {
    await machine.shell(`
      sed -i '/pam_pve_authenticator/s/^/# /' /etc/pam.d/sshd /etc/pam.d/${SERVICE}
      userdel --remove alice
      sed -i '/^person-/d' /etc/passwd
      rm /usr/local/bin/pam-client ${SSH_FILES.join(' ')}`);
    expect(await make('uninstall')).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('What stays is the store') as string,
    });
    const left = new Set(await files());
    filesBefore.forEach((file) => left.delete(file));
    const notOurs = /^\/(etc\/(passwd|group|shadow|gshadow|subuid|subgid)-|root\/\.|var\/mail|var\/cache)/;
    const ours = [...left].filter((file) => !notOurs.test(file));
    expect(ours.filter((file) => !file.startsWith('/var/lib/pve-authenticator'))).toEqual([]);
    expect(ours).toContain('/var/lib/pve-authenticator/store.json');
    expect(readdirSync(machine.path('/run'))).not.toContain('pve-authenticator');
    expect(await machine.shell('systemctl list-units --all --plain --no-legend "pve-auth*"')).toBe('');
    expect(await machine.shell('id -un pve-authenticator')).toBe('pve-authenticator');
    expect((await make('uninstall')).stderr).toContain('nothing is installed');
  });

  test('installed again while the store is not mounted, it makes no new one', async () => {
    await machine.shell('mv /var/lib/pve-authenticator /var/lib/elsewhere; mkdir /var/lib/pve-authenticator');
    const { status, stderr } = await make('install');
    const made = await machine.run(['ls', '-A', '/var/lib/pve-authenticator']);
    await machine.shell(`
      systemctl stop ${UNIT}
      rm -r /var/lib/pve-authenticator
      mv /var/lib/elsewhere /var/lib/pve-authenticator`);
    expect(made.stdout).toBe('');
    expect([status, stderr]).not.toEqual([0, '']);
    expect(stderr).toContain('Is its file system mounted?');
  });

  test('installed again, everybody has their factors', async () => {
    expect((await make('install')).status).toBe(0);
    const [first] = people;
    writeFileSync(machine.path('/etc/passwd'), `${first!.name}:x:20000:20000::/:/bin/sh\n`, { flag: 'a' });
    expect(await machine.shell(`pve-google-authenticator list --plain | grep -c '^${first!.name}: '`)).toBe(
      '1',
    );
  });
});
