import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { findInMemory } from '../harness/memory.ts';
import { newPerson } from '../harness/person.ts';
import { run } from '../harness/run.ts';
import { MODULE, useDaemon } from './host.ts';
import { sshTo, startSshServer } from './ssh-server.ts';

const ONE_STRING = 'one-string';
const PLAIN = 'sshd-code-only';

/** The fake password that sshd sends if the user may not log in (its auth-pam.c). */
const FAKE = Buffer.from('\b\n\r\x7fINCORRECT');

describeInBox('hosts that answer every prompt with the password', () => {
  const daemon = useDaemon();

  test('the daemon has the password neither in its memory nor in its log', async () => {
    const person = await newPerson(daemon());
    writeFileSync(
      `/etc/pam.d/${ONE_STRING}`,
      `auth required ${MODULE} forward_pass\nauth required pam_unix.so try_first_pass\naccount required pam_unix.so\n`,
    );
    writeFileSync(
      `/etc/pam.d/${PLAIN}`,
      `auth required ${MODULE}\naccount required pam_unix.so\nsession required pam_unix.so\n`,
    );
    const oneString = [`${CHECKOUT}/test/e2e/hosts/answers-all.pl`, ONE_STRING, person.name];

    // Password and code: in. Password alone, to the same question: out.
    expect(await run(oneString, person.password + person.code())).toMatchObject({ status: 0 });
    expect(await run(oneString, person.password)).toMatchObject({ status: 1 });

    // sshd's `password` method gives the password to the question for the code.
    const server = await startSshServer(PLAIN, [
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication no',
    ]);
    try {
      const typed = { expect: /password: $/, hidden: true, enter: person.password } as const;
      expect((await sshTo(server, person, [], [typed])).screen).toContain('Permission denied');
      // And for root, who may not log in, a fake password of the same length.
      expect((await sshTo(server, { name: 'root' }, [], [typed])).screen).toContain('Permission denied');
    } finally {
      await server.stop();
    }
    await daemon().log.waitFor(
      new RegExp(`Accepted verification code for ${person.name} service=${ONE_STRING} `),
    );
    await daemon().log.waitFor(
      new RegExp(`Invalid verification code for ${person.name} service=${ONE_STRING} `),
    );
    await daemon().log.waitFor(new RegExp(`Invalid verification code for ${person.name} service=${PLAIN} `));
    await daemon().log.waitFor(new RegExp(` for root service=${PLAIN} `));

    // Also searches for the middle part, and in UTF-16, as V8 stores text beyond Latin-1.
    const part = person.password.slice(3, 19);
    const secrets = [Buffer.from(part), Buffer.from(part, 'utf16le'), FAKE];
    const control = [Buffer.from(person.name)];
    const found = findInMemory(daemon().pid, [...secrets, ...control]);
    expect(found.slice(0, secrets.length)).toEqual([0, 0, 0]);
    expect(found[secrets.length], 'what must be there is found').toBeGreaterThan(0);

    const log = daemon().log.lines.join('\n');
    expect(log).not.toContain(part);
    expect(log).not.toContain('INCORRECT');
    expect(log).toContain(person.name);
  });
});
