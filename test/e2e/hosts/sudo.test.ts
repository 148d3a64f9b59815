import { chmodSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { newPerson, type Person } from '../harness/person.ts';
import { atTerminal, type Screen, type Step } from '../harness/terminal.ts';
import { describeHost, guard, unguard, type Answer } from './host.ts';
import { answering } from './ssh-server.ts';

const PASSWORD_PROMPT = /\[sudo\] password for \S+: $/;

describeHost(
  'sudo',
  {
    service: 'sudo',
    cancels: ['ctrl-c', 'closes-terminal'],
    refusal: /Sorry, try again\./,
    // It reads at most 1,023 bytes, and passes no more to PAM.
    tooLong: { refusal: /Conversation error/, logged: 'No verification code from' },
    start: () => {
      guard('sudo');
    },
    stop: () => {
      unguard('sudo');
    },
    welcome: allowSudo,
    attempt: (person, answer, end) => {
      const steps = once(person, answer);
      // It asks again; then the person gives up.
      const givesUp: Step = { expect: PASSWORD_PROMPT, hidden: true, interrupt: true };
      return sudo(person, end === 'refused' ? [...steps, givesUp] : steps);
    },
  },
  (daemon) => {
    test('three tries on one handle: wrong, wrong, right', async () => {
      const person = await newPerson(daemon());
      allowSudo(person);
      const seen = await sudo(person, [
        ...once(person, { kind: 'code', bytes: person.wrongCode() }),
        ...once(person, { kind: 'code', bytes: '' }),
        ...once(person, { kind: 'code', bytes: person.code() }),
      ]);
      expect(seen).toMatchObject({ status: 0, unmet: null });
      expect(seen.screen.match(/Sorry, try again\./g)).toHaveLength(2);
      expect(seen.screen).toContain(`in as ${person.name}`);
      const lines = await daemon().log.waitFor(new RegExp(` for ${person.name} service=sudo `), 3);
      expect(lines[0]).toContain('reason=wrong-code');
      expect(lines[1]).toContain('reason=no-code');
      expect(lines[2]).toContain('Accepted verification code');
    });

    test('three tries on one handle: all wrong', async () => {
      const person = await newPerson(daemon());
      allowSudo(person);
      const wrong: Answer = { kind: 'code', bytes: person.wrongCode() };
      const seen = await sudo(person, [
        ...once(person, wrong),
        ...once(person, wrong),
        ...once(person, wrong),
      ]);
      expect(seen).toMatchObject({ status: 1, unmet: null });
      expect(seen.screen).toContain('3 incorrect password attempts');
      await daemon().log.waitFor(new RegExp(`Invalid verification code for ${person.name} service=sudo `), 3);
    });
  },
);

function allowSudo({ name }: Person): void {
  const file = `/etc/sudoers.d/${name}`;
  writeFileSync(file, `${name} ALL=(ALL:ALL) ALL\n`);
  chmodSync(file, 0o440);
}

function sudo({ name }: Person, steps: readonly Step[]): Promise<Screen> {
  const asPerson = ['setpriv', `--reuid=${name}`, `--regid=${name}`, '--init-groups'];
  return atTerminal([...asPerson, 'sudo', 'sh', '-c', 'echo "in as $SUDO_USER"'], steps);
}

function once(person: Person, answer: Answer): Step[] {
  return [
    { expect: PASSWORD_PROMPT, hidden: true, enter: person.password },
    answering(/Verification code: $/, answer),
  ];
}
