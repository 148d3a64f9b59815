import { copyFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../src/command/doctor/check.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell } from '../harness/run.ts';
import { CHECKOUT_THERE, Machine, whyNoMachine } from './machine.ts';
import { HEALTHY, MISTAKES } from './mistakes.ts';

/*
 * `doctor` on a real installation: each mistake is planted, found and named; then "doctor --fix" fixes it, or says why only a
 * person can and prints a command, which is run as root. After that, nothing is wrong any more. For mistakes in pam.d, a login
 * proves that the fix works. At the end the fixes are undone, and every file is restored to the byte.
 */

const CLIENT = '/usr/local/bin/pam-client';
const PASSWORD = 'a password';
const STATE = '/var/lib/pve-authenticator';
const TEST_MS = 900_000;
const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: doctor in a machine with systemd: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('doctor in a Debian 13 with systemd', { timeout: TEST_MS }, () => {
  let machine: Machine;
  let codes: string[] = [];

  const findings = async (): Promise<readonly Report[]> => {
    const { status, stdout, stderr } = await machine.run(['pve-google-authenticator', 'doctor', '--json']);
    expect(stderr).toBe('');
    const { healthy, findings: found } = JSON.parse(stdout) as { healthy: boolean; findings: Report[] };
    expect([status, healthy]).toEqual(found.length === 0 ? [0, true] : [1, false]);
    return found;
  };
  /** As root would in a shell, in the checkout. */
  const runPrinted = async (line: string): Promise<void> => {
    const { status, stderr } = await machine.run(['bash', '-c', `cd ${CHECKOUT_THERE} && { ${line}\n}`]);
    if (status !== 0) {
      const journal = await machine.run(['journalctl', '--lines=30', '--output=cat', '--no-pager']);
      throw new Error(`${line}: status ${String(status)}\n${stderr}${journal.stdout}`);
    }
  };
  /** Lines that ask root at a terminal, for a shell without one. */
  const agreedTo = (lines: string): string => lines.replaceAll(/ (?:recovery|remove) [^#\n]*/g, '$& --yes ');
  const renewCodes = async (): Promise<void> => {
    const line = await machine.shell(
      'pve-google-authenticator recovery --user alice --yes --json 2>/dev/null',
    );
    codes = (JSON.parse(line) as { codes: string[] }).codes;
  };
  const logIn = async (code: string): Promise<boolean> => {
    const { stdout } = await machine.run([CLIENT, 'sshd', 'alice', 'auth'], `${PASSWORD}\n${code}\n`);
    const end = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { ev: string; rc?: number });
    return end.find(({ ev }) => ev === 'op')?.rc === 0;
  };

  /** The commands of a part of a guide, block by block, for root. */
  const commandsOf = (guide: string, headline: string): string[] => {
    const page = readFileSync(`${CHECKOUT}/docs/guides/${guide}.md`, 'utf8');
    const from = page.indexOf(`\n${headline}\n`);
    const to = page.indexOf('\n## ', from + 1);
    return [...page.slice(from, to).matchAll(/```sh\n([^`]*)```/g)].map(([, block]) =>
      block!.replaceAll('sudo ', ''),
    );
  };

  beforeAll(async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    machine = await Machine.boot();
    await machine.runWell(['make', '--no-print-directory', '-C', CHECKOUT_THERE, 'install']);
    copyFileSync(`${CHECKOUT}/build/native-test/pam-client`, machine.path(CLIENT));
    // Without a network there is no time server. This makes the file by which systemd-timesyncd reports a synchronised clock.
    await machine.shell(`
      cat >/etc/systemd/system/systemd-timesyncd.service <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
RuntimeDirectory=systemd/timesync
ExecStart=touch /run/systemd/timesync/synchronized
[Install]
WantedBy=sysinit.target
END
      systemctl daemon-reload
      systemctl enable --now --quiet systemd-timesyncd.service
      useradd --create-home --shell /bin/sh alice
      printf '%s\\n' 'alice:${PASSWORD}' 'root:${PASSWORD}' | chpasswd
      install -d -m 755 /etc/pve-authenticator
      ${HEALTHY}
      systemctl restart ssh.service pve-authenticator.service
      pve-google-authenticator add totp --user alice >/dev/null
      pve-google-authenticator add totp --user root >/dev/null`);
  }, TEST_MS);
  afterAll(() => machine.stop());

  test('on a healthy machine it is silent but for one line', async () => {
    expect(await machine.run(['pve-google-authenticator', 'doctor'])).toEqual({
      status: 0,
      stdout: 'All is well. These ask: sshd.\n',
      stderr: '',
    });
    await renewCodes();
    expect([await logIn(codes.pop()!), await logIn('ABCD-EFGH-ABCD-EFGH')]).toEqual([true, false]);
  });

  test('reports that it needs root, with a separate exit status', async () => {
    const command = ['setpriv', '--reuid=65534', '--clear-groups', 'pve-google-authenticator', 'doctor'];
    expect(await machine.run(command)).toMatchObject({ status: 3, stdout: '' });
  });

  test("the guides' commands for a lost phone, the clock and a stopped daemon work", async () => {
    await machine.shell('pve-google-authenticator add totp --user alice --name=old-phone >/dev/null');
    await renewCodes();
    const [own = '', others = ''] = commandsOf('lost-phone', '## A lost phone');
    for (const line of own.trim().split('\n')) {
      // Without a person and a phone, only the code as a proof may be asked for.
      const command = line.replace(/ -t /, ' -t -f -q --json ');
      const { status, stderr } = await machine.run(
        ['runuser', '-u', 'alice', '--', 'sh', '-c', command],
        `${codes.pop()!}\n`,
      );
      expect(status, `${command}: ${stderr}`).toBe(0);
    }
    const list = await machine.shell('pve-google-authenticator list --user alice');
    expect([list.includes('new-phone'), list.includes('old-phone')]).toEqual([true, false]);
    await machine.shell(
      `pve-google-authenticator add totp --user alice --name=old-phone; ${agreedTo(others)}`,
    );
    for (const headline of ['## The clock is wrong', '## The daemon is down']) {
      await machine.shell(commandsOf('when-logins-fail', headline).join('\n'));
    }
    await renewCodes();
    expect(await logIn(codes.pop()!)).toBe(true);
  });

  test('backup and restore, as docs/guides/backup.md says it', async () => {
    const [backup = '', restore = ''] = commandsOf('backup', '## Backup and restore');
    await renewCodes();
    await machine.shell(backup);
    await machine.shell(
      'pve-google-authenticator add totp --user alice --name=later; echo broken >/etc/pve-authenticator/config.toml',
    );
    expect(restore).toContain('doctor');
    expect(await machine.shell(restore)).toBe('All is well. These ask: sshd.');
    expect(await machine.shell('pve-google-authenticator list --user alice')).not.toContain('later');
    expect(await logIn(codes.pop()!)).toBe(true);
  });

  test('a full disk of its own: doctor names it, and its command lists what takes space', async () => {
    await machine.shell(`
      systemctl stop pve-authenticator.service
      cp -a ${STATE} /root/state
      mount -t tmpfs -o size=16M,mode=700 tmpfs ${STATE}
      cp -a /root/state/. ${STATE}
      chown pve-authenticator: ${STATE}
      head -c 64M /dev/zero >${STATE}/core.1 2>/dev/null || :
      chown pve-authenticator: ${STATE}/core.1
      chmod 600 ${STATE}/core.1
      systemctl start pve-authenticator.service`);
    try {
      const found = (await findings()).find(({ check }) => check === 'state');
      expect(found?.what).toMatch(/\(\/var\/lib\/pve-authenticator\) is full \(\d+ KiB left\)/);
      const [, first] = (await machine.shell(found!.mend)).split('\n');
      expect(first).toContain('/core.1');
      await machine.shell(`rm ${STATE}/core.1; systemctl restart pve-authenticator.service`);
      expect(await findings()).toEqual([]);
    } finally {
      // Else every later test would find it, too.
      await machine.shell(`
        systemctl stop pve-authenticator.service
        umount ${STATE}
        rm -r /root/state
        systemctl start pve-authenticator.service`);
    }
  });

  /** The changeable files: each name with kind, mode, owner, target, and checksum. */
  const files = (): Promise<string> =>
    machine.shell(`
      cd /
      find etc/pam.d etc/ssh etc/pve-authenticator etc/systemd/system etc/hostname home -path etc/pve-authenticator/switch -prune -o \
        '(' -type f -printf '%p %m %U:%G ' -exec sha256sum {} ';' ')' -o -printf '%p %y %m %U:%G %l\\n' | sort
      find ${STATE.slice(1)}/enrolments -printf '%p %m %U:%G\\n' | sort
      # If it is open; systemd gives the state directory itself its mode at each start of the daemon.
      find run/pve-authenticator -name pam.sock -perm 666 -print`);
  const doctor = (...argv: readonly string[]): ReturnType<Machine['run']> =>
    machine.run(['pve-google-authenticator', 'doctor', ...argv]);

  for (const { name, check, says, plant, after, pam } of MISTAKES) {
    test(`${name}: found, fixed, and undone`, async () => {
      try {
        await machine.shell(plant);
        const found = await findings();
        const ours = found.filter((finding) => finding.check === check && says.test(finding.what));
        expect(ours, JSON.stringify(found, undefined, 1)).not.toEqual([]);
        const planted = await files();
        const fixed = await doctor('--fix', '--yes');
        // A finding may disappear together with another one.
        const byHand = found.filter(
          ({ what, mend }) =>
            !mend.startsWith('pve-google-authenticator doctor --fix=') && fixed.stdout.includes(what),
        );
        for (const { mend } of byHand) {
          expect(fixed.stdout).toMatch(/ {2}Not fixed\. .*(?:yourself|look first|Only you)/);
          await runPrinted(mend);
        }
        if (byHand.length === 0) {
          expect(fixed, fixed.stdout).toMatchObject({ status: 0, stderr: '' });
          expect(fixed.stdout).toMatch(/\n {2}Fixed\.\nNothing is wrong any more\.\n$/);
        }
        expect(await findings(), fixed.stdout).toEqual([]);
        if (pam === true) {
          if (codes.length === 0) {
            await renewCodes();
          }
          const logins = [await logIn(codes.pop()!), await logIn('ABCD-EFGH-ABCD-EFGH')];
          const said = await machine.runWell(['journalctl', '--lines=20', '--output=cat', '--no-pager']);
          expect(logins, said).toEqual([true, false]);
        }
        if (byHand.length === 0) {
          const mended = await files();
          const undone = await doctor('--undo', '--yes');
          expect([undone.status, undone.stderr]).toEqual([
            0,
            // sshd cannot read that again.
            expect.stringMatching(/^(?:This failed: systemctl .*ssh[^]*)?$/),
          ]);
          // A mount stays mounted, because it is not a file.
          expect(await files()).toBe(check === 'state' ? mended : planted);
          expect(await doctor('--fix', '--yes')).toMatchObject({ status: 0, stderr: '' });
          expect(await findings()).toEqual([]);
        }
      } finally {
        await machine.shell(after ?? ':');
      }
    });
  }
});
