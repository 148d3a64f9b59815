import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { placesBelow } from '../../../../src/command/switching/places.ts';
import { prepareProxmox } from '../../../../src/command/switching/proxmox.ts';
import { describedMachine } from '../../fixtures/described-machine.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const STOCK =
  '# stock\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\nauth\trequired\tpam_permit.so\n';
const COROSYNC = 'nodelist {\n  node {\n    ring0_addr: 192.0.2.11\n  }\n}\n';
const pve = { '/usr/bin/pveproxy': '', '/etc/pve/corosync.conf': COROSYNC };
const asks = {
  'sshd -T -C user=root,host=192.0.2.11,addr=192.0.2.11':
    'authenticationmethods publickey,keyboard-interactive\n',
};

function root(commonAuth = STOCK): string {
  const directory = makeDirectory();
  mkdirSync(`${directory}/etc/pam.d`, { recursive: true, mode: 0o755 });
  mkdirSync(`${directory}/etc/ssh/sshd_config.d`, { recursive: true });
  writeFileSync(`${directory}/etc/pam.d/common-auth`, commonAuth, { mode: 0o644 });
  return directory;
}

it('gives the web interface a file of its own, once', async () => {
  const below = root();
  const machine = describedMachine({ files: { '/usr/bin/pveproxy': '' } });
  const file = `${below}/etc/pam.d/proxmox-ve-auth`;
  expect(await prepareProxmox(placesBelow(below), machine, ['login'])).toEqual([file]);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(
    'auth\t[success=1 default=ignore]\tpam_unix.so nullok\nauth\trequisite\tpam_deny.so\n',
  );
  expect(text).toContain('\n@include common-account\n');
  expect(text).not.toMatch(/^@include common-auth/m);
  writeFileSync(file, 'mine\n');
  expect(await prepareProxmox(placesBelow(below), machine, ['login'])).toEqual([]);
  expect(readFileSync(file, 'utf8')).toBe('mine\n');
});

it('copies no line that asks for a code', async () => {
  const below = root(`${STOCK}auth required pam_pve_authenticator.so nullok\n`);
  await prepareProxmox(placesBelow(below), describedMachine({ files: pve }), []);
  const text = readFileSync(`${below}/etc/pam.d/proxmox-ve-auth`, 'utf8');
  expect(text).not.toContain('pam_pve_authenticator');
  expect(text).toMatch(/^auth +required +pam_unix\.so\naccount +required +pam_unix\.so$/m);
});

it('lets the nodes of the cluster in with their key, when sshd is switched on', async () => {
  const below = root();
  const programs = { ...asks, 'sshd -t': '', 'systemctl try-reload-or-restart ssh.service': '' };
  const machine = describedMachine({ files: pve, programs });
  const file = `${below}/etc/ssh/sshd_config.d/01-pve-authenticator-cluster.conf`;
  expect(await prepareProxmox(placesBelow(below), machine, ['login'])).not.toContain(file);
  expect(await prepareProxmox(placesBelow(below), machine, ['sshd'])).toEqual([file]);
  expect(readFileSync(file, 'utf8')).toContain(
    'Match User root Address 192.0.2.11 # by pve-google-authenticator\n    AuthenticationMethods publickey # by',
  );
});

it('takes back what sshd cannot read, and leaves other machines alone', async () => {
  const below = root();
  const machine = describedMachine({ files: pve, programs: asks });
  const written = await prepareProxmox(placesBelow(below), machine, ['sshd']);
  expect(written).toEqual([`${below}/etc/pam.d/proxmox-ve-auth`]);
  expect(await prepareProxmox(placesBelow(root()), describedMachine({}), ['sshd'])).toEqual([]);
});
