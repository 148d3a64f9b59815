import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { codeOf } from '../harness/code.ts';
import { newAccount } from '../harness/person.ts';
import { atTerminal, type Screen } from '../harness/terminal.ts';
import { guard, unguard, useDaemon } from '../hosts/host.ts';
import { answering, sshTo, startSshServer, type SshServer } from '../hosts/ssh-server.ts';
import { entry } from './proxmox-stage.ts';

/* One phone, enrolled in Proxmox, at the doors of one node: sshd, login and sudo themselves. */

const SERVICES = ['sshd', 'login', 'sudo'] as const;
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const PROMPT = /Verification code: $/;

describeInBox('one phone in Proxmox, three doors', () => {
  // Made before the daemon starts, which looks for it. The reader is not root here, so the files must be readable for it.
  beforeAll(() => {
    mkdirSync('/etc/pve/priv', { recursive: true });
  });
  const daemon = useDaemon();
  let server: SshServer;
  let person: { name: string; password: string };

  beforeAll(async () => {
    SERVICES.forEach(guard);
    server = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      'KbdInteractiveAuthentication yes',
      'PasswordAuthentication no',
    ]);
  });
  afterAll(async () => {
    await server.stop();
    SERVICES.forEach(unguard);
    rmSync('/etc/pve', { recursive: true });
  });

  /** Somebody new, with a phone in Proxmox. */
  const enrol = async (): Promise<void> => {
    person = await newAccount();
    writeFileSync(`/etc/sudoers.d/${person.name}`, `${person.name} ALL=(ALL) ALL\n`, { mode: 0o440 });
    writeFileSync(
      '/etc/pve/priv/tfa.cfg',
      JSON.stringify({
        users: { [`${person.name}@pam`]: { totp: [entry(`otpauth://totp/x?secret=${SECRET}`)] } },
      }),
    );
  };
  const password = (prompt: RegExp) => ({ expect: prompt, hidden: true, enter: person.password });
  const ssh = (code: string): Promise<Screen> =>
    sshTo(server, person, [], [password(/Password: $/), answering(PROMPT, { kind: 'code', bytes: code })]);
  const console = (code: string, isIn: boolean): Promise<Screen> =>
    atTerminal(
      ['/bin/login'],
      [
        { expect: /login: $/, enter: person.name },
        password(/Password: $/),
        answering(PROMPT, { kind: 'code', bytes: code }),
        ...(isIn ? [] : [{ expect: /Login incorrect[\s\S]*login: $/, hangUp: true } as const]),
      ],
    );
  const sudo = (code: string, isIn: boolean): Promise<Screen> =>
    atTerminal(
      ['setpriv', '--reuid', person.name, '--regid', person.name, '--init-groups', 'sudo', '-k', 'id', '-un'],
      [
        password(/\[sudo\] password for \S+: $/),
        answering(PROMPT, { kind: 'code', bytes: code }),
        ...(isIn ? [] : [{ expect: /\[sudo\] password for \S+: $/, hidden: true, interrupt: true } as const]),
      ],
    );

  test('a code used on SSH is refused on the console and for sudo', async () => {
    await enrol();
    const code = codeOf({ secret: SECRET });
    expect(await ssh(code)).toMatchObject({ status: 0, unmet: null });
    expect((await console(code, false)).screen).toContain('Login incorrect');
    expect((await sudo(code, false)).screen).toContain('Sorry, try again.');
    const refused = await daemon().log.waitFor(/reason=code-already-used/, 2);
    expect(refused[0]).toContain('service=login');
    expect(refused[1]).toContain('service=sudo');
  });

  test('each of them opens with a code of its own', async () => {
    await enrol();
    expect(await console(codeOf({ secret: SECRET }), true)).toMatchObject({ unmet: null });
    const lines = await daemon().log.waitFor(/Accepted .* service=login .*factor=totp:proxmox:phone/);
    expect(lines).toHaveLength(1);
    expect((await sudo(codeOf({ secret: SECRET }, 1), true)).screen).toContain('root');
  });
});
