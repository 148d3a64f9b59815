import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { runWell } from '../harness/run.ts';
import { describeHost, MODULE } from './host.ts';
import { answering, newKey, sshTo, startSshServer, type SshServer } from './ssh-server.ts';

const SERVICE = 'sshd-after-key';
let server: SshServer;

describeHost('OpenSSH: publickey,keyboard-interactive, key and code', {
  service: SERVICE,
  cancels: ['ctrl-c', 'closes-terminal'],
  refusal: /Permission denied \(keyboard-interactive\)/,
  start: async () => {
    // The key was the first factor: no password is asked for.
    const stack = readFileSync('/etc/pam.d/sshd', 'utf8');
    writeFileSync(
      `/etc/pam.d/${SERVICE}`,
      stack.replace(/^@include common-auth$/m, `auth required ${MODULE}`),
    );
    server = await startSshServer(SERVICE, [
      'AuthenticationMethods publickey,keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ]);
    await newKey(`${server.directory}/key`);
  },
  stop: () => server.stop(),
  welcome: async ({ name }) => {
    const directory = `/home/${name}/.ssh`;
    mkdirSync(directory);
    copyFileSync(`${server.directory}/key.pub`, `${directory}/authorized_keys`);
    chmodSync(directory, 0o700);
    await runWell(['chown', '-R', `${name}:`, directory]);
  },
  attempt: (person, answer) =>
    sshTo(
      server,
      person,
      [`IdentityFile=${server.directory}/key`],
      [answering(/Verification code: $/, answer)],
    ),
});
