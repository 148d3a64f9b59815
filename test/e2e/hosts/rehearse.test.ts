import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { describeInBox } from '../harness/box.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { newPerson, type Person } from '../harness/person.ts';
import { run, runWell } from '../harness/run.ts';
import { atTerminal, type Screen, type Step } from '../harness/terminal.ts';
import { guard, MODULE, unguard, useDaemon } from './host.ts';
import { sshTo, startSshServer, type SshServer } from './ssh-server.ts';

/* `rehearse` beside the service itself: both accept and refuse alike. */

const SETTINGS = '/etc/ssh/sshd_config.d/rehearse.conf';
const command = (...words: readonly string[]): string[] => [
  'node',
  `${CHECKOUT}/dist/command/main.js`,
  ...words,
];

describeInBox('rehearse', () => {
  const daemon = useDaemon();

  const answers = (...lines: readonly string[]): Step[] => [
    { expect: /Password: $/, hidden: true, enter: lines[0]! },
    ...lines.slice(1).map((enter) => ({ expect: /Verification code: $/, hidden: true, enter })),
  ];
  const rehearse = (
    person: Pick<Person, 'name'>,
    steps: readonly Step[],
    ...more: string[]
  ): Promise<Screen> => atTerminal(command('rehearse', 'sshd', '--user', person.name, ...more), steps);

  test('sshd and its rehearsal accept and refuse alike; the rehearsal says at which module, and logs nobody in', async () => {
    guard('sshd');
    const settings = ['KbdInteractiveAuthentication yes', 'PasswordAuthentication no'];
    writeFileSync(SETTINGS, `${settings.join('\n')}\n`);
    const server: SshServer = await startSshServer('sshd', [
      'AuthenticationMethods keyboard-interactive',
      ...settings,
    ]);
    try {
      const cases: [string, (person: Person) => readonly string[], RegExp?][] = [
        ['right', (person) => [person.password, person.code()]],
        [
          'wrong code',
          (person) => [person.password, person.wrongCode()],
          /at pam_pve_authenticator\.so, line \d+ of \/etc\/pam\.d\/sshd/,
        ],
        [
          'wrong password',
          () => ['not-the-password'],
          /at pam_unix\.so, line \d+ of \/etc\/pam\.d\/common-auth/,
        ],
      ];
      for (const [title, typed, where] of cases) {
        const [visitor, actor] = [await newPerson(daemon()), await newPerson(daemon())];
        const real = await sshTo(server, visitor, [], answers(...typed(visitor)));
        const played = await rehearse(actor, answers(...typed(actor)));
        expect([played.unmet, played.screen.includes(`in as`)], title).toEqual([null, false]);
        expect([real.status === 0, played.status], title).toEqual(
          where === undefined ? [true, 0] : [false, 1],
        );
        expect(played.screen, title).toMatch(where ?? /sshd accepts p\S+\. Nobody was logged in\./);
      }

      // A rehearsal uses the code up, but does not count as a login.
      const person = await newPerson(daemon());
      const code = person.code();
      expect((await rehearse(person, answers(person.password, code))).status).toBe(0);
      expect((await sshTo(server, person, [], answers(person.password, code))).status).not.toBe(0);
      // This lets the daemon tell it from a login, so `confirm` does not count it.
      await daemon().log.waitFor(new RegExp(`Accepted .* ${person.name} .* ruser="only a rehearsal"`));

      // After the right answers, the account may still be closed.
      const closed = await newPerson(daemon());
      await runWell(['usermod', '--expiredate', '1', closed.name]);
      const seen = await rehearse(closed, answers(closed.password, closed.code()));
      expect(seen.screen).toMatch(
        /the account is not usable now: at pam_unix\.so, line \d+ of \/etc\/pam\.d\/common-account/,
      );
      expect(seen.status).toBe(1);

      const nobody = await rehearse({ name: 'no-such-user' }, answers('whatever-it-is'));
      expect([nobody.unmet, nobody.status]).toEqual([null, 1]);
    } finally {
      await server.stop();
      rmSync(SETTINGS);
      unguard('sshd');
    }
  });

  test('Ctrl-C ends it, and the terminal is as it was', async () => {
    writeFileSync(SETTINGS, 'KbdInteractiveAuthentication yes\n');
    const person = await newPerson(daemon());
    const line = [
      ...command('rehearse', 'sshd', '--user', person.name),
      '; stty -a | grep -ow -e -echo -e -icanon -e -isig',
    ];
    const seen = await atTerminal(
      ['sh', '-c', line.join(' ')],
      [{ expect: /Password: $/, hidden: true, type: '\u0003' }],
    );
    rmSync(SETTINGS);
    expect(seen.screen).toContain('sshd refuses');
    expect(seen.status, 'no setting is left').toBe(1);
    expect(readdirSync('/tmp').filter((name) => name.includes('rehearsal'))).toEqual([]);
  });

  test('what sshd would refuse without PAM is said', async () => {
    writeFileSync(SETTINGS, 'KbdInteractiveAuthentication no\n');
    const person = await newPerson(daemon());
    const closed = await rehearse(person, []);
    writeFileSync(SETTINGS, 'KbdInteractiveAuthentication yes\nPermitRootLogin prohibit-password\n');
    const root = await rehearse({ name: 'root' }, []);
    rmSync(SETTINGS);
    expect(closed.screen).toContain('KbdInteractiveAuthentication no');
    expect(root.screen).toContain('PermitRootLogin');
    expect([closed.status, root.status]).toEqual([1, 1]);
  });

  test('a stack with jumps and a substack runs as it is written', async () => {
    const person = await newPerson(daemon());
    writeFileSync(
      '/etc/pam.d/jumping',
      [
        'auth [success=1 default=ignore] pam_succeed_if.so quiet uid = 0',
        'auth substack common-auth',
        `auth required ${MODULE}`,
        'account required pam_permit.so',
        '',
      ].join('\n'),
    );
    const ordinary = await atTerminal(
      command('rehearse', 'jumping', '--user', person.name),
      answers(person.password, person.code()),
    );
    expect(ordinary.screen).toContain('jumping accepts');
    // Root jumps over the password.
    const root = await atTerminal(command('rehearse', 'jumping', '--user', 'root'), [
      { expect: /Verification code: $/, hidden: true, enter: '123456' },
    ]);
    expect(root.screen).toMatch(/jumping refuses root: at pam_pve_authenticator\.so, line 3/);
    rmSync('/etc/pam.d/jumping');
  });

  test('without a terminal, or for others than root, it says so', async () => {
    const alone = await run(['setsid', '-w', ...command('rehearse', 'su', '--user', 'root')]);
    expect(alone).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('run it at a terminal') as string,
    });
    const other = await run(['setpriv', '--reuid=65534', '--clear-groups', ...command('rehearse', 'su')]);
    expect(other).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Only root may do that') as string,
    });
  });
});
