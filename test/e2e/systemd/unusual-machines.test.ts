import { copyFileSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { runWell, type Ended } from '../harness/run.ts';
import { GuardedMachine, PASSWORD, UNDO } from './guarded-machine.ts';
import { whyNoMachine } from './machine.ts';

/* `enable` and the undo on unusual machines: a node of Proxmox, key and code, a full disk, special files. */

const TEST_MS = 900_000;
const SHORT = '0.1';
const CLIENT = '/usr/local/bin/pam-client';
const missing = whyNoMachine();
if (missing !== undefined) {
  process.stderr.write(`\n  NOT RUN: switching on and off on unusual machines: ${missing}\n\n`);
}

describe.skipIf(missing !== undefined)('switching on and off elsewhere', { timeout: TEST_MS }, () => {
  let guarded: GuardedMachine;
  let stock: string;
  const shell = (line: string): Promise<string> => guarded.machine.shell(line);
  const text = (service: string): Promise<string> => shell(`cat /etc/pam.d/${service}`);
  /** SSH with a key; a code is given if it is asked for. */
  const withKey = async (user: string, code = 'none'): Promise<Ended> => {
    await shell(`echo ${code} >/tmp/code; echo ${PASSWORD} >/tmp/password`);
    const options =
      'StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR NumberOfPasswordPrompts=1';
    return guarded.machine.run([
      ...['env', 'DISPLAY=none', 'SSH_ASKPASS=/usr/local/bin/answer', 'SSH_ASKPASS_REQUIRE=force'],
      ...['setsid', '-w', 'ssh', '-F', '/dev/null', '-i', '/root/key'],
      ...options.split(' ').flatMap((option) => ['-o', option]),
      ...[`${user}@127.0.0.1`, 'id', '-un'],
    ]);
  };
  /** sshd is away for a moment when it reads its configuration anew. */
  const expectIn = (attempt: () => Promise<Ended>): Promise<void> =>
    expect.poll(async () => (await attempt()).status, { timeout: 300_000 }).toBe(0);
  const methodsFor = (user: string, address: string): Promise<string> =>
    shell(`sshd -T -C user=${user},host=${address},addr=${address} | sed -n 's/^authenticationmethods //p'`);

  beforeAll(async () => {
    await runWell(['make', '--silent', '-C', `${CHECKOUT}/test/native`, 'client', `BUILD=${CHECKOUT}/build`]);
    guarded = await GuardedMachine.boot();
    copyFileSync(`${CHECKOUT}/build/native-test/pam-client`, guarded.machine.path(CLIENT));
    await shell(`
      chmod 755 ${CLIENT}
      ssh-keygen -q -t ed25519 -N '' -f /root/key
      for home in /root /home/alice; do
        install -d -m 700 $home/.ssh
        install -m 600 /root/key.pub $home/.ssh/authorized_keys
      done
      chown -R alice: /home/alice/.ssh`);
    await guarded.enrol('root');
    await guarded.enrol('alice');
    stock = await text('sshd');
  }, TEST_MS);
  afterAll(() => guarded.machine.stop());
  afterEach(async () => {
    await shell(`pve-authenticator-undo --off 2>/dev/null || :`);
  });

  test('on a node of a Proxmox cluster, the web interface and the other nodes go on', async () => {
    await shell(`
      install -d -m 755 /etc/pve /etc/pve-authenticator
      printf '#!/bin/sh\\n' >/usr/bin/pveproxy
      chmod 755 /usr/bin/pveproxy
      cat >/etc/pve/corosync.conf <<'END'
nodelist {
  node {
    name: here
    ring0_addr: 127.0.0.1
  }
  node {
    name: there
    ring0_addr: 192.0.2.12
  }
}
END
      printf '%s\\n' '[sources]' 'proxmox = false' >/etc/pve-authenticator/config.toml
      chown root:pve-authenticator /etc/pve-authenticator/config.toml
      chmod 640 /etc/pve-authenticator/config.toml
      echo 'AuthenticationMethods publickey,keyboard-interactive' >/etc/ssh/sshd_config.d/methods.conf
      systemctl daemon-reload
      systemctl reload ssh.service
      systemctl restart pve-authenticator.service`);
    // The permanent record is not written while anything else fails.
    await shell('rm /run/systemd/timesync/synchronized');
    expect(await guarded.command('enable', 'sshd')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Nothing was changed. Fix this first') as string,
    });
    await guarded.synchronise();
    expect(await shell('ls /etc/pam.d/proxmox-ve-auth /etc/ssh/sshd_config.d/01-* 2>/dev/null || :')).toBe(
      '',
    );

    const { status, stdout, stderr } = await guarded.command('enable', 'sshd');
    expect(status, stderr).toBe(0);
    for (const path of [
      '/etc/pam.d/proxmox-ve-auth',
      '/etc/ssh/sshd_config.d/01-pve-authenticator-cluster.conf',
    ]) {
      expect(stdout).toContain(`Written for Proxmox: ${path} ("disable" removes it)`);
    }
    // As sshd itself reads it: the other nodes, and nobody else.
    expect(await methodsFor('root', '192.0.2.12')).toBe('publickey');
    expect(await methodsFor('root', '192.0.2.99')).toBe('publickey,keyboard-interactive');
    expect(await methodsFor('alice', '192.0.2.12')).toBe('publickey,keyboard-interactive');
    await expectIn(() => withKey('root'));
    expect(await withKey('alice')).toMatchObject({ status: 255 });
    expect(await withKey('alice', guarded.code('alice'))).toMatchObject({ status: 0, stdout: 'alice\n' });
    // The web interface answers each question with the password.
    const web = [CLIENT, 'proxmox-ve-auth', 'root', 'auth', 'acct'];
    expect((await guarded.machine.run(web, `${PASSWORD}\n`)).stdout).toMatch(
      /"auth".*"rc":0[\s\S]*"acct".*"rc":0/,
    );
    expect((await guarded.machine.run(web, 'wrong\n')).stdout).not.toContain('"rc":0');

    expect(await guarded.command('disable', 'sshd')).toMatchObject({ status: 0 });
    expect(await text('sshd')).toBe(stock);
    // What enable wrote beside it is gone, too: the nodes are asked as the administrator's own setting says.
    expect(await shell('ls /etc/pam.d/proxmox-ve-auth /etc/ssh/sshd_config.d/01-* 2>/dev/null || :')).toBe(
      '',
    );
    expect(await methodsFor('root', '192.0.2.12')).toBe('publickey,keyboard-interactive');
    await shell(`
      rm -r /etc/pve /usr/bin/pveproxy /etc/pve-authenticator/config.toml
      rm /etc/ssh/sshd_config.d/methods.conf
      systemctl daemon-reload
      systemctl reload ssh.service
      systemctl restart pve-authenticator.service`);
  });

  test('key and code without the password: enable names the guide, whose commands work', async () => {
    await shell(`sed -i '/^@include common-auth$/d' /etc/pam.d/sshd`);
    for (const words of [
      ['enable', 'sshd'],
      ['rehearse', 'sshd', '--user', 'alice', '--with-module'],
    ]) {
      const { status, stderr } = await guarded.command(...words);
      expect([status, stderr]).toEqual([
        1,
        expect.stringContaining('docs/guides/switch-on-and-off.md, "Key and code, without the password"'),
      ]);
    }
    await shell(`cat >/etc/pam.d/sshd <<'END'\n${stock}\nEND`);
    const page = readFileSync(`${CHECKOUT}/docs/guides/switch-on-and-off.md`, 'utf8');
    const [, block] = /\n### Key and code, without the password\n[\s\S]*?```sh\n([^`]*)```/.exec(page) ?? [];
    await shell(block!);
    const code = guarded.code('alice');
    await expectIn(() => withKey('alice', code));
    expect(await withKey('alice')).toMatchObject({ status: 255 });
    // The password does not count, so it is not asked for.
    expect(await guarded.ssh('alice', guarded.code('alice'))).toMatchObject({ status: 255 });
    const [, back] = /To go back at once: `([^`]+)`/.exec(page) ?? [];
    await shell(back!);
    await guarded.until('! test -e /etc/ssh/sshd_config.d/02-key-and-code.conf');
    expect(await text('sshd')).toBe(stock);
    await expectIn(() => guarded.ssh('alice', 'none'));
    const [, keep] = /When a login with key and code has worked: `([^`]+)`/.exec(page) ?? [];
    await shell(`${keep!}; rm /root/pam.d-sshd`);
  });

  test('a disk that is full when the time is over keeps nothing from being put back', async () => {
    await shell(`
      mkdir -p /mnt/etc
      mount -t tmpfs -o size=32M,mode=755 tmpfs /mnt/etc
      cp -a /etc/. /mnt/etc
      mount --bind /mnt/etc /etc`);
    const mode = await shell('stat -c %a:%U:%G /etc/pam.d/sshd');
    await guarded.command('enable', 'sshd', '--minutes', SHORT);
    await shell('head -c 100M /dev/zero >/etc/full 2>/dev/null || :');
    expect(await shell('echo more >/etc/more 2>/dev/null && echo room || echo full')).toBe('full');
    await guarded.untilUndone();
    expect([await text('sshd'), await shell('stat -c %a:%U:%G /etc/pam.d/sshd')]).toEqual([stock, mode]);
    await shell('umount -l /etc; umount -l /mnt/etc');
  });

  test('what fails in the middle is taken back: no service is left switched on by itself', async () => {
    // Nothing can be renamed over a mount point.
    await shell('mount --bind /etc/pam.d/su /etc/pam.d/su');
    const { status, stderr } = await guarded.command('enable', 'sshd', 'su');
    await shell('umount /etc/pam.d/su');
    expect([status, stderr]).toEqual([1, expect.stringContaining('/etc/pam.d/su cannot be written (EBUSY)')]);
    expect(await text('sshd')).toBe(stock);
    expect(
      await shell(`ls /etc/pve-authenticator/switch; systemctl is-active ${UNDO}.timer || :`),
    ).not.toMatch(/^(pending|active)$/m);
  });

  test('a file that is a symbolic link is refused, with --all only that one', async () => {
    await shell('mv /etc/pam.d/su /etc/su-file; ln -s /etc/su-file /etc/pam.d/su');
    expect(await guarded.command('enable', 'su')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('/etc/pam.d/su is a symbolic link') as string,
    });
    // Other services, which do not need it, can still be switched on.
    expect(await guarded.command('enable', 'sshd', '--no-wait')).toMatchObject({ status: 0 });
    await shell(`${UNDO} --now`);
    const all = await guarded.command('enable', '--all', '--no-wait');
    expect(all).toMatchObject({
      status: 0,
      stderr: expect.stringMatching(/^su stays as it is: \/etc\/pam\.d\/su is a symbolic link/m) as string,
    });
    expect(all.stdout).toContain('sshd asks for a code now');
    await shell(`${UNDO} --now; rm /etc/pam.d/su; mv /etc/su-file /etc/pam.d/su`);
    expect(await text('sshd')).toBe(stock);
  });

  test('/etc read-only: it says so, and nothing is changed', async () => {
    await shell('mount --bind /etc /etc && mount -o remount,bind,ro /etc');
    const { status, stderr } = await guarded.command('enable', 'sshd');
    await shell('umount -l /etc');
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/\/etc\/\S+ cannot be (used|written) \(.*EROFS/),
    ]);
    expect(await text('sshd')).toBe(stock);
  });
});
