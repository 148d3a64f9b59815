import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { atTerminal } from '../harness/terminal.ts';
import { GuardedMachine, UNDO } from './guarded-machine.ts';
import { whyNoMachine } from './machine.ts';

/* `enable`, `confirm`, `disable` and the undo in a Debian 13 with systemd, with real SSH logins and reboots. */

const TEST_MS = 900_000;
/** Minutes, as the command takes them: long enough to do something, short enough to wait for. */
const SHORT = '0.1';
const LINE = /^auth +required +pam_pve_authenticator\.so # by pve-google-authenticator enable$/m;
const MARK = '# by pve-google-authenticator enable';

const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: switching on and off in a machine with systemd: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('switching on and off', { timeout: TEST_MS }, () => {
  let guarded: GuardedMachine;
  let stock: string;
  const sshd = (): Promise<string> => guarded.pam('sshd');
  const text = async (service = 'sshd'): Promise<string> =>
    Buffer.from(await guarded.pam(service), 'base64').toString('latin1');
  const shell = (line: string): Promise<string> => guarded.machine.shell(line);
  const enable = async (...words: string[]): Promise<void> => {
    expect(await guarded.command('enable', ...words)).toMatchObject({ status: 0 });
  };

  beforeAll(async () => {
    guarded = await GuardedMachine.boot();
    // In Debian's default, sshd never accepts root's password, so nothing could lock root out.
    await shell('echo PermitRootLogin yes >/etc/ssh/sshd_config.d/root.conf; systemctl reload ssh');
    stock = await sshd();
  }, TEST_MS);
  afterAll(() => guarded.machine.stop());
  afterEach(async () => {
    await shell(`pve-authenticator-undo --off 2>/dev/null || :`);
  });

  test('root without a factor: refused, with the way out, and nothing is changed', async () => {
    const { status, stderr } = await guarded.command('enable', 'sshd');
    expect(status).toBe(1);
    expect(stderr).toContain('root could not get in through sshd any more');
    expect(stderr).toContain('pve-google-authenticator --user=root');
    expect(stderr).toContain('--nullok');
    expect(await sshd()).toBe(stock);
    // As the message says, with flags that leave no questions.
    expect(await guarded.command('--user=root', '-t', '-C', '-f', '-q')).toMatchObject({ status: 0 });
    await guarded.enrol('root');
    const asAlice = await guarded.machine.run([
      'env',
      `SUDO_UID=${await shell('id -u alice')}`,
      'pve-google-authenticator',
      'enable',
      'sshd',
    ]);
    expect(asAlice.stderr).toContain('alice could not get in through sshd any more');
    expect(await sshd()).toBe(stock);
    expect(await shell('ls /etc/pve-authenticator/switch')).not.toContain('pending');
    await guarded.enrol('alice');
  });

  test.each([
    [['../passwd'], 1, 'not the name of a service'],
    [['no-such-service'], 1, 'no such service'],
    [['common-auth'], 1, 'included by many services'],
    [[], 2, 'Name services'],
  ])('enable %j is refused', async (services, status, why) => {
    expect(await guarded.command('enable', ...services)).toMatchObject({
      status,
      stderr: expect.stringContaining(why) as string,
    });
  });

  test('status says that a login is asked for a code only while it is', async () => {
    const status = async (): Promise<string> => (await guarded.command('status', '--user', 'alice')).stdout;
    const nothing = 'No service of this machine asks for a code.';
    expect(await status()).toContain(nothing);
    await enable('sshd', '--nullok', '--no-wait');
    const on = await status();
    expect(on).toMatch(/^How logins of alice are checked:\n {2}sshd, with a password: asks for a code\n/m);
    expect(on).toMatch(/^Not confirmed yet: sshd\. It is undone in \d+ seconds/m);
    expect(on).not.toContain(nothing);
    expect(await guarded.command('disable', 'sshd', '--yes')).toMatchObject({ status: 0 });
    const off = await status();
    expect(off).toContain(nothing);
    expect(off).not.toContain(': asks for a code');
    expect(off).not.toContain('Not confirmed yet');
  });

  test('what has to be mended first is said with the command that mends it', async () => {
    await shell('rm /run/systemd/timesync/synchronized; sed -i s/yes/no/ /etc/ssh/sshd_config.d/code.conf');
    const { status, stderr } = await guarded.command('enable', 'sshd');
    await guarded.synchronise();
    expect(status).toBe(1);
    expect(stderr).toContain('The clock is not synchronised');
    const [mend] = /pve-google-authenticator doctor --fix=sshd$/m.exec(stderr)!;
    expect(await guarded.machine.run(mend.split(' '))).toMatchObject({ status: 4 });
    await shell(`${mend} --yes`);
    await shell('rm /run/systemd/timesync/synchronized');
    expect((await guarded.command('enable', 'sshd')).stderr).toContain('The clock is not synchronised');
    expect(await guarded.command('enable', 'sshd', '--ignore=sshd')).toMatchObject({ status: 2 });
    await enable('sshd', '--minutes', SHORT, '--ignore=clock');
    await guarded.synchronise();
    await shell(
      'rm -f /etc/ssh/sshd_config.d/00-pve-authenticator.conf; sed -i s/no/yes/ /etc/ssh/sshd_config.d/code.conf; systemctl reload ssh',
    );
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
  });

  test('without the undo at boot nothing is switched on', async () => {
    await shell(`systemctl disable --quiet ${UNDO}.service`);
    const first = await guarded.command('enable', 'sshd');
    expect(first).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`systemctl enable ${UNDO}.service`) as string,
    });
    // As the message says; then another fault.
    await shell(`systemctl enable ${UNDO}.service; mv /usr/sbin/${UNDO} /usr/sbin/away`);
    const second = await guarded.command('enable', 'sshd');
    await shell(`mv /usr/sbin/away /usr/sbin/${UNDO}`);
    expect(second).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('The undo was tried and does not work') as string,
    });
    expect(await shell(`journalctl -u ${UNDO}.service; systemctl status ${UNDO}.timer || :`)).toContain(
      `${UNDO}.service`,
    );
    expect(await sshd()).toBe(stock);
    await guarded.untilUndone();
  });

  test('nobody confirms: the old stack is back after the time', async () => {
    const { status, stdout } = await guarded.command('enable', 'sshd', '--minutes', SHORT);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Undone in \d+ seconds/);
    expect(await text()).toMatch(LINE);
    expect(await guarded.ssh('alice', 'none')).toMatchObject({ status: 255 });
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
    expect(await guarded.ssh('alice', 'none')).toMatchObject({ status: 0, stdout: 'alice\n' });
    expect(await shell(`systemctl show --property ActiveState --value ${UNDO}.timer`)).toBe('inactive');
    expect(await shell(`journalctl --no-pager -o cat -u ${UNDO}`)).toContain(
      'not confirmed was undone: sshd',
    );
    expect((await guarded.command('confirm')).stderr).toContain('was undone: sshd');
  });

  test('twice changes nothing; confirm wants a login; then it stays, over a reboot too; disable gives back the bytes', async () => {
    await enable('sshd');
    const once = await sshd();
    const again = await guarded.command('enable', 'sshd');
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing was changed: sshd') as string,
    });
    expect(await sshd()).toBe(once);

    const refused = await guarded.command('confirm');
    expect(refused).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Nobody has logged in with a code through sshd') as string,
    });
    // A wrong code is no login.
    expect(await guarded.ssh('alice', '000000')).toMatchObject({ status: 255 });
    expect(await guarded.command('confirm')).toMatchObject({ status: 1 });
    // Nor is a rehearsal.
    const played = await atTerminal(
      guarded.machine.inside(['pve-google-authenticator', 'rehearse', 'sshd', '--user', 'alice']),
      [
        { expect: /Password: $/, hidden: true, enter: 'correct-horse' },
        { expect: /Verification code: $/, hidden: true, enter: guarded.code('alice') },
      ],
    );
    expect(played).toMatchObject({
      status: 0,
      screen: expect.stringContaining('sshd accepts alice') as string,
    });
    expect(await guarded.command('confirm')).toMatchObject({ status: 1 });
    expect(await guarded.ssh()).toMatchObject({ status: 0, stdout: 'alice\n' });
    expect(await guarded.command('confirm')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Confirmed: sshd') as string,
    });
    expect(await sshd()).toBe(once);

    await guarded.reboot();
    expect(await sshd()).toBe(once);
    expect(await guarded.command('enable', 'sshd')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing was changed') as string,
    });
    expect(await guarded.command('disable', 'sshd')).toMatchObject({ status: 0 });
    expect(await sshd()).toBe(stock);
    expect(await guarded.command('disable', 'sshd')).toMatchObject({ status: 0 });
    expect(await sshd()).toBe(stock);
  });

  test('confirm keeps what was proven and undoes the rest', async () => {
    const su = await guarded.pam('su');
    await enable('sshd', 'su');
    expect(await text('su')).toMatch(LINE);
    expect(await guarded.ssh()).toMatchObject({ status: 0 });
    const { status, stdout, stderr } = await guarded.command('confirm');
    expect([status, stdout]).toEqual([0, 'sshd: alice logged in with a code.\nConfirmed: sshd.\n']);
    expect(stderr).toContain('through su: this will be undone');
    expect(await guarded.pam('su')).toBe(su);
    expect(await text()).toMatch(LINE);
  });

  test('undoing a change of arguments restores the earlier arguments', async () => {
    await enable('sshd', '--nullok');
    expect(await guarded.ssh()).toMatchObject({ status: 0 });
    expect(await guarded.command('confirm')).toMatchObject({ status: 0 });
    const withNullok = await sshd();
    await enable('sshd', '--minutes', SHORT);
    expect(await sshd()).not.toBe(withNullok);
    await guarded.untilUndone();
    expect(await sshd()).toBe(withNullok);
    expect(await guarded.command('disable', 'sshd')).toMatchObject({ status: 0 });
    expect(await sshd()).toBe(stock);
  });

  test('a terminal counts down, over SSH it is said, and the undo outlives the terminal', async () => {
    const atOne = (minutes: string): string[] =>
      guarded.machine.inside([
        ...['env', 'SSH_CONNECTION=192.0.2.1 50000 192.0.2.2 22', 'pve-google-authenticator'],
        ...['enable', 'sshd', '--minutes', minutes],
      ]);
    const seen = await atTerminal(atOne(SHORT), [{ expect: /seconds left to confirm sshd/, look: true }]);
    expect(seen.screen).toContain('You are connected over SSH');
    expect(seen.screen).toContain('Nobody confirmed the change, so it was undone');
    expect([seen.unmet, seen.status]).toEqual([null, 1]);
    expect(await sshd()).toBe(stock);
    await atTerminal(atOne(SHORT), [{ expect: /seconds left to confirm sshd/, hangUp: true }]);
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
  });

  test('Ctrl-C in the countdown leaves the change on, and says so', async () => {
    const inside = guarded.machine.inside(['pve-google-authenticator', 'enable', 'sshd']);
    // The program that connects us to the machine must survive Ctrl-C; otherwise nobody would see the command's output.
    const argv = ['sh', '-c', 'trap "" INT; exec "$@"', 'sh', ...inside];
    const seen = await atTerminal(argv, [{ expect: /seconds left to confirm sshd/, interrupt: true }]);
    expect([seen.unmet, seen.status]).toEqual([null, 130]);
    expect(seen.screen).toMatch(
      /The change is still on: .* systemd undoes it in \d+ seconds, at \d\d:\d\d:\d\d/,
    );
    expect(seen.screen).not.toContain('Nothing was changed');
    expect(await text()).toMatch(LINE);
    // What it says can be run.
    const [, undo] = /To undo it now: pve-google-authenticator (.*)/.exec(seen.screen)!;
    expect(await guarded.command(...undo!.trim().split(' '))).toMatchObject({ status: 0 });
    expect(await sshd()).toBe(stock);
  });

  test('the login that made the change cannot confirm it', async () => {
    const line = 'pve-google-authenticator enable sshd && pve-google-authenticator confirm';
    // All logins share a process that something else started.
    const { stderr } = await guarded.machine.run(['sh', '-c', `sh -c '${line}; exit $?'; exit $?`]);
    expect(stderr).toContain('This login made the change');
  });

  test('everything is killed: the old stack is back after the time', async () => {
    await enable('sshd', '--minutes', SHORT);
    await guarded.machine.run(['sh', '-c', 'kill -9 -1']);
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
  });

  test('the daemon dead, its state read-only, Node gone: the old stack is back after the time', async () => {
    await enable('sshd', '--minutes', SHORT);
    await shell(`
      systemctl stop pve-authenticator.socket pve-authenticator.service
      mount --bind /var/lib/pve-authenticator /var/lib/pve-authenticator
      mount -o remount,bind,ro /var/lib/pve-authenticator
      mv /usr/bin/node /usr/bin/node.away
      mv /usr/lib/pve-authenticator /usr/lib/pve-authenticator.away`);
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
    expect(await guarded.ssh('alice', 'none')).toMatchObject({ status: 0 });
    await shell(`
      mv /usr/bin/node.away /usr/bin/node
      mv /usr/lib/pve-authenticator.away /usr/lib/pve-authenticator
      umount /var/lib/pve-authenticator
      systemctl start pve-authenticator.socket`);
  });

  test('a reboot: the old stack is back when it is up, however much time was left', async () => {
    await enable('sshd');
    expect(await text()).toMatch(LINE);
    await guarded.reboot();
    expect(await sshd()).toBe(stock);
    expect(await guarded.ssh('alice', 'none')).toMatchObject({ status: 0 });
  });

  test('/etc is read-only when the time is over: the undo keeps trying', async () => {
    await enable('sshd', '--minutes', SHORT);
    await shell('mount --bind /etc /etc && mount -o remount,bind,ro /etc');
    await guarded.until(`journalctl --no-pager -o cat -u ${UNDO} | grep -q 'could not be put back'`);
    await shell('umount -l /etc');
    await guarded.untilUndone();
    expect(await sshd()).toBe(stock);
  });

  test('a file that somebody edited since is not overwritten, but reported', async () => {
    const edit = `sed -i '1i # my own words' /etc/pam.d/sshd`;
    await enable('sshd', '--minutes', SHORT);
    await shell(edit);
    await guarded.untilUndone();
    const edited = `# my own words\n${Buffer.from(stock, 'base64').toString('latin1')}`;
    expect(await text()).toBe(edited);
    expect(await shell(`journalctl --no-pager -o cat -u ${UNDO}`)).toContain(
      '/etc/pam.d/sshd was edited since',
    );

    await enable('sshd');
    await shell(`sed -i '1i # more of them' /etc/pam.d/sshd`);
    const more = await sshd();
    expect(await guarded.command('enable', 'sshd', '--nullok')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/etc/pam.d/sshd was edited since') as string,
    });
    expect(await sshd()).toBe(more);
    const { status, stdout } = await guarded.command('disable', 'sshd');
    expect([status, stdout]).toEqual([0, expect.stringContaining('/etc/pam.d/sshd was edited since')]);
    expect(await text()).toBe(`# more of them\n${edited}`);
    await shell(`sed -i 1,2d /etc/pam.d/sshd`);
    expect(await sshd()).toBe(stock);
  });

  test('all doors but root at the console; uninstalling takes every line out first', async () => {
    const files = await shell('cd /etc/pam.d && sha256sum *');
    await enable('--all');
    const login = (await text('login')).split('\n').filter((line) => line.endsWith(MARK));
    expect(login[0]).toContain('pam_succeed_if.so quiet uid = 0');
    for (const service of ['sshd', 'su', 'login']) {
      expect(await text(service), service).toMatch(LINE);
    }
    for (const service of ['passwd', 'other', 'common-auth', 'runuser']) {
      expect(await text(service), service).not.toContain('pve_authenticator');
    }
    await shell('make -C /srv/checkout uninstall');
    expect(await shell('cd /etc/pam.d && sha256sum *')).toBe(files);
    expect(await shell(`ls -d /etc/pve-authenticator /usr/sbin/${UNDO} 2>/dev/null || echo none`)).toBe(
      'none',
    );
    await guarded.install();
  });
});
