import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CHECKOUT } from '../harness/daemon.ts';
import { newPerson, type Person } from '../harness/person.ts';
import { run } from '../harness/run.ts';
import type { Screen } from '../harness/terminal.ts';
import { describeHost, MODULE, type Answer } from './host.ts';

const SERVICE = 'one-string';

describeHost(
  'a client that answers every message with one string, as the Proxmox web UI does',
  {
    service: SERVICE,
    cancels: ['ctrl-c'],
    refusal: /refused: /,
    start: () => {
      writeFileSync(
        `/etc/pam.d/${SERVICE}`,
        `auth required ${MODULE} forward_pass\nauth required pam_unix.so try_first_pass\naccount required pam_unix.so\n`,
      );
    },
    attempt: (person, answer) => logIn(person, person.password, answer),
  },
  (daemon) => {
    test('the right code after a wrong password does not open', async () => {
      const person = await newPerson(daemon());
      const seen = await logIn(person, 'not-the-password', { kind: 'code', bytes: person.code() });
      expect(seen.status).toBe(1);
      expect(seen.screen).toContain('Password & verification code: ');
      expect(seen.screen).toContain('refused: Authentication failure');
    });
  },
);

/** The string is the password, and the code right after it. */
async function logIn({ name }: Person, password: string, answer: Answer): Promise<Screen> {
  const argv = [`${CHECKOUT}/test/e2e/hosts/answers-all.pl`, SERVICE, name];
  const { status, stdout, stderr } =
    answer.kind === 'code'
      ? await run(argv, Buffer.concat([Buffer.from(password), Buffer.from(answer.bytes)]))
      : await run([...argv, 'cancel']);
  return { screen: stdout + stderr, status, unmet: null };
}
