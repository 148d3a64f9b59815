import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { buildDeb, inMachine, nodeDeb, whyNoDeb } from './deb.ts';
import { BASE_ROOT, Machine, OLD_ROOT, whyNoMachine } from './machine.ts';
import { runWell, type Ended } from '../harness/run.ts';

/*
 * Going back restores everything: whatever was done with the package, in any order, after its removal the same people can log in
 * over SSH as before its installation.
 */

const FULL = process.env['ROUNDS'] === 'full';
const TEST_MS = 300_000;
const BUILD_MS = 1_200_000;
const PASSWORD = 'correct-horse';
const ANSWER = '/usr/local/bin/answer';
const SETTINGS = '/etc/ssh/sshd_config.d/zz-test.conf';
/** Checks that do not concern logins; and "unconfirmed", whose remedy would undo the tested change. */
const IGNORED = ['clock', 'hostname', 'unconfirmed', 'units', 'daemon', 'factors'];

const ACTIONS = ['enable', 'fixes', 'disable', 'remove', 'purge'] as const;
type Action = (typeof ACTIONS)[number];
/** One after the other; what is left is purged at the end. */
const PAIRS: readonly (readonly Action[])[] = ACTIONS.flatMap((one) =>
  ACTIONS.filter((other) => other !== one).map((other) => [one, other] as const),
);
const SMALL: readonly (readonly Action[])[] = [
  ['fixes', 'disable'],
  ['enable', 'fixes', 'disable'],
  ['enable', 'fixes', 'purge'],
];
const ORDERS = FULL ? [...SMALL, ...PAIRS] : SMALL;
/** The administrator's settings for root. */
const ROOT_LOGINS = FULL ? ['prohibit-password', 'yes'] : ['prohibit-password'];

/** A package for this machine's Debian is good for that and for later ones. */
const hostIsOld = /^VERSION_ID="12"$/m.test(readFileSync('/etc/os-release', 'utf8'));
const missing = whyNoMachine() ?? (await whyNoDeb());
const DEBIANS: readonly (readonly [name: string, root: string, missing: string | undefined])[] = [
  ['13', BASE_ROOT, missing],
  [
    '12',
    OLD_ROOT,
    missing ??
      (hostIsOld ? undefined : 'a package that is built here is not for Debian 12') ??
      (existsSync(`${OLD_ROOT}/etc/debian_version`)
        ? undefined
        : 'there is no Debian 12: test/e2e/systemd/make-root 12 makes it (as root, with the network)'),
  ],
];
for (const [name, , why] of DEBIANS) {
  if (why !== undefined) {
    process.stderr.write(`\n  NOT RUN: going back on Debian ${name}: ${why}\n\n`);
  }
}

describe.each(DEBIANS)('going back on Debian %s', { timeout: TEST_MS }, (name, root, why) => {
  const tests = test.skipIf(why !== undefined);
  let machine: Machine;
  let debs: readonly string[];
  const command = (...words: readonly string[]): Promise<Ended> =>
    machine.run(['pve-google-authenticator', ...words]);
  const apt = async (...argv: readonly string[]): Promise<void> => {
    const ended = await machine.run([
      ...['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '--yes', '--quiet', '--no-install-recommends'],
      ...argv,
    ]);
    expect(ended.status, ended.stdout + ended.stderr).toBe(0);
  };
  const isInstalled = async (): Promise<boolean> =>
    (await machine.run(['test', '-e', '/usr/bin/pve-google-authenticator'])).status === 0;

  beforeAll(async () => {
    if (why !== undefined) {
      return;
    }
    debs = [
      process.env['DEB'] ?? (await buildDeb('going-back')),
      ...(name === '12' ? [await nodeDeb()] : []),
    ];
    machine = await Machine.boot('volatile', root);
    await machine.shell(`
      useradd --create-home --shell /bin/sh alice
      printf '%s:${PASSWORD}\\n' alice root | chpasswd
      ssh-keygen -q -t ed25519 -N '' -f /root/key
      for home in /root /home/alice; do
        install -d -m 700 $home/.ssh
        install -m 600 /root/key.pub $home/.ssh/authorized_keys
      done
      chown -R alice: /home/alice/.ssh
      printf '#!/bin/sh\\necho ${PASSWORD}\\n' >${ANSWER}
      chmod 755 ${ANSWER}`);
  }, BUILD_MS);
  afterAll(async () => {
    if (why === undefined) {
      await machine.stop();
    }
  });

  const ssh = async (user: string, options: readonly string[]): Promise<boolean> => {
    const usual = ['UserKnownHostsFile=/dev/null', 'StrictHostKeyChecking=no', 'NumberOfPasswordPrompts=1'];
    const { stdout } = await machine.run([
      ...['env', 'DISPLAY=none', `SSH_ASKPASS=${ANSWER}`, 'SSH_ASKPASS_REQUIRE=force', 'setsid', '-w'],
      ...['ssh', '-F', '/dev/null', ...[...usual, ...options].flatMap((option) => ['-o', option])],
      ...[`${user}@127.0.0.1`, 'id', '-un'],
    ]);
    return stdout === `${user}\n`;
  };
  const KEY = ['IdentityFile=/root/key', 'IdentitiesOnly=yes', 'PreferredAuthentications=publickey'];
  const WITH_PASSWORD = ['PubkeyAuthentication=no', 'PreferredAuthentications=keyboard-interactive,password'];
  /** Who can log in, and sshd's own words about it. */
  const whoGetsIn = async (): Promise<Record<string, unknown>> => ({
    'key of root': await ssh('root', KEY),
    'password of root': await ssh('root', WITH_PASSWORD),
    'key of alice': await ssh('alice', KEY),
    'password of alice': await ssh('alice', WITH_PASSWORD),
    settings: await machine.shell('sshd -T | sort'),
    pam: await machine.shell('cd /etc/pam.d && sha256sum *'),
  });

  /** Runs the commands that are printed, as they are printed. */
  const runPrinted = async (lines: readonly string[]): Promise<void> => {
    for (const line of lines) {
      await machine.run(['sh', '-c', line.replace(/ doctor --fix=\S+/, '$& --yes')]);
    }
  };
  const ensureInstalled = async (): Promise<void> => {
    if (!(await isInstalled())) {
      await apt('install', ...debs.map(inMachine));
      await machine.shell('systemctl is-active pve-authenticator.socket');
      await command('recovery', '--user', 'alice', '--yes');
      await command('recovery', '--user', 'root', '--yes');
    }
    await machine.shell('mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized');
  };
  const act: Record<Action, () => Promise<void>> = {
    enable: async () => {
      await ensureInstalled();
      for (let tries = 0; tries < 4; tries += 1) {
        const { status, stderr } = await command('enable', 'sshd', '--no-wait', '--minutes', '60');
        if (status === 0) {
          return;
        }
        await runPrinted(stderr.split('\n').filter((line) => line.startsWith('    ')));
      }
      expect.fail('sshd could not be switched on');
    },
    fixes: async () => {
      await ensureInstalled();
      for (let rounds = 0; rounds < 3; rounds += 1) {
        const ignored = IGNORED.map((check) => `--ignore=${check}`);
        const { stdout } = await command('doctor', ...ignored);
        await runPrinted(stdout.split('\n').filter((line) => line.startsWith('  ')));
      }
    },
    disable: async () => {
      await ensureInstalled();
      expect(await command('disable', '--all', '--yes')).toMatchObject({ status: 0 });
    },
    remove: async () => ((await isInstalled()) ? apt('remove', 'pve-authenticator') : undefined),
    purge: async () => {
      const known = await machine.run(['dpkg-query', '-W', 'pve-authenticator']);
      return known.status === 0 ? apt('purge', 'pve-authenticator') : undefined;
    },
  };

  /** Services whose lines somebody wrote by hand, and what they are of. */
  const OURS = 'auth required pam_pve_authenticator.so';
  const GOOGLE = 'auth required pam_google_authenticator.so nullok';
  const JUMPS = ['auth [success=1 default=ignore] pam_unix.so', 'auth requisite pam_deny.so'];
  const BY_HAND: Readonly<Record<string, readonly string[]>> = {
    sufficient: ['auth sufficient pam_unix.so', OURS],
    jumping: [...JUMPS, OURS],
    double: ['auth required pam_unix.so', GOOGLE, OURS],
  };
  const write = (service: string, lines: readonly string[]): void =>
    writeFileSync(
      machine.path(`/etc/pam.d/${service}`),
      [...lines, 'account required pam_permit.so', ''].join('\n'),
    );
  const letsIn = async (service: string, password: string): Promise<boolean> => {
    const { stdout } = await machine.run(['/root/pam-client', service, 'alice', 'auth'], `${password}\n`);
    const events = stdout.trim().split('\n');
    return events.some((line) => {
      const { ev, rc } = JSON.parse(line) as { ev: string; rc?: number };
      return ev === 'op' && rc === 0;
    });
  };

  tests('lines that somebody wrote by hand, and doctor mended', async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    copyFileSync(`${CHECKOUT}/build/native-test/pam-client`, machine.path('/root/pam-client'));
    await machine.shell(
      'cd /usr/lib/x86_64-linux-gnu/security; cp pam_permit.so pam_google_authenticator.so',
    );
    await act.purge();
    await ensureInstalled();
    for (const [service, lines] of Object.entries(BY_HAND)) {
      write(service, lines);
    }
    await act.fixes();
    expect(await machine.shell('cat /etc/pam.d/double')).not.toMatch(/^[^#]*pam_google_authenticator/m);
    await act.remove();
    for (const service of Object.keys(BY_HAND)) {
      const logins = [await letsIn(service, PASSWORD), await letsIn(service, 'wrong')];
      expect(logins, await machine.shell(`cat /etc/pam.d/${service}`)).toEqual([true, false]);
    }
    expect((await machine.shell('cat /etc/pam.d/double')).split('\n')).toContain(GOOGLE);

    await ensureInstalled();
    write('part', JUMPS);
    for (const lines of [BY_HAND['jumping']!, ['@include part', OURS]]) {
      write('jumping', lines);
      const refused = await machine.run(['apt-get', '--yes', 'remove', 'pve-authenticator']);
      expect([refused.status === 0, refused.stdout + refused.stderr]).toEqual([
        false,
        expect.stringContaining(`/etc/pam.d/jumping: ${OURS}`),
      ]);
    }
    await machine.shell(`cd /etc/pam.d; rm part ${Object.keys(BY_HAND).join(' ')}`);
  });

  describe.each(ROOT_LOGINS)('PermitRootLogin %s', (permit) => {
    tests.for(ORDERS.map((order) => ({ order, title: order.join(', ') })))('$title', async ({ order }) => {
      const penalties = name === '12' ? [] : ['PerSourcePenalties no'];
      writeFileSync(machine.path(SETTINGS), [`PermitRootLogin ${permit}`, ...penalties, ''].join('\n'));
      await machine.shell('systemctl restart ssh.service');
      const before = await whoGetsIn();
      expect(before).toMatchObject({ 'key of root': true, 'key of alice': true });
      for (const action of order) {
        await act[action]();
        if (action !== 'enable' && action !== 'fixes') {
          expect(await whoGetsIn(), `after ${action}`).toEqual(before);
        }
      }
      await act.purge();
      expect(await whoGetsIn(), 'at the end').toEqual(before);
      expect(await machine.shell('ls /etc/ssh/sshd_config.d')).toBe('zz-test.conf');
    });
  });
});
