import { describeHost, guard, unguard } from './host.ts';
import { answering, sshTo, startSshServer, type SshServer } from './ssh-server.ts';

let server: SshServer;

describeHost('OpenSSH: keyboard-interactive, password and code', {
  service: 'sshd',
  cancels: ['ctrl-c', 'closes-terminal'],
  refusal: /Permission denied \(keyboard-interactive\)/,
  start: async () => {
    guard('sshd');
    server = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ]);
  },
  stop: async () => {
    await server.stop();
    unguard('sshd');
  },
  attempt: (person, answer) =>
    sshTo(
      server,
      person,
      [],
      [
        { expect: /Password: $/, hidden: true, enter: person.password },
        answering(/Verification code: $/, answer),
      ],
    ),
});
