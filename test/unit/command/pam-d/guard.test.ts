import { describe, expect, it } from 'vitest';
import {
  guardLines,
  guardService,
  MARK,
  markedLines,
  withoutMarkedLines,
} from '../../../../src/command/pam-d/guard.ts';
import { whyNoService, whyNotGuarded } from '../../../../src/command/pam-d/services.ts';

/* Debian's own. */
const COMMON = `auth	[success=1 default=ignore]	pam_unix.so nullok
# here's the fallback if no module succeeds
auth	requisite			pam_deny.so
auth	required			pam_permit.so
`;
const SSHD =
  '# PAM for sshd\n@include common-auth\naccount    required     pam_nologin.so\n@include common-account\n';
const OURS = guardLines({ arguments: [] });
const others: Record<string, string> = {
  'common-auth': COMMON,
  'common-account': 'account required pam_unix.so\n',
  locking: `auth [success=1 default=ignore] pam_unix.so
auth [default=die] pam_faillock.so authfail
auth sufficient pam_faillock.so authsucc
auth requisite pam_deny.so
`,
};

const guard = (text: string, service = 'sshd', options = {}): ReturnType<typeof guardService> =>
  guardService(service, text, { arguments: [], ...options }, (name) => others[name]);
/** Where our line went: `|` stands for it. */
const placed = (...lines: string[]): string => {
  const result = guard(`${lines.join('\n')}\n`, 'door');
  return result.kind === 'changed'
    ? result.text.replace(`${OURS[0]!}\n`, '|\n').trimEnd()
    : `${result.kind}: ${result.kind === 'refused' ? result.why : ''}`;
};

describe('the line of the module', () => {
  it('does not go into a file with line ends of Windows', () => {
    const result = guard(SSHD.replaceAll('\n', '\r\n'));
    expect(result.kind === 'refused' && result.why).toMatch(
      /^\/etc\/pam\.d\/sshd, line 1: the line ends with a carriage return.*sed -i 's\/\\r\$\/\/' \/etc\/pam\.d\/sshd$/,
    );
  });

  it('goes below the password', () => {
    expect(guard(SSHD)).toEqual({
      kind: 'changed',
      text: SSHD.replace('common-auth\n', `common-auth\n${OURS[0]!}\n`),
    });
  });

  it('can be taken out again to the byte, wherever the file ends', () => {
    for (const text of [SSHD, SSHD.trimEnd(), '@include common-auth', '\n\n@include common-auth\n\n']) {
      const result = guard(text);
      expect(result.kind === 'changed' && withoutMarkedLines(result.text)).toBe(text);
    }
  });

  it('is not written twice', () => {
    const once = guard(SSHD);
    expect(guard(once.kind === 'changed' ? once.text : '')).toEqual({ kind: 'unchanged' });
  });

  it('is replaced by one with other arguments', () => {
    const once = guard(SSHD, 'sshd', { arguments: ['nullok'] });
    const text = once.kind === 'changed' ? once.text : '';
    expect(markedLines(text)).toEqual([`auth       required     pam_pve_authenticator.so nullok ${MARK}`]);
    expect(guard(text)).toEqual(guard(SSHD));
  });

  it.each([
    ['after a module, before others', ['auth required pam_unix.so', '|', 'auth optional pam_group.so']],
    ['after the last of several', ['auth required pam_unix.so', 'auth required pam_sss.so', '|']],
    [
      'where a jump lands',
      [
        'auth [success=1 default=ignore] pam_unix.so',
        'auth requisite pam_deny.so',
        '|',
        'auth required pam_permit.so',
      ],
    ],
    [
      'not where one jumps over',
      [
        'auth [success=2 default=ignore] pam_unix.so',
        'auth required pam_a.so',
        'auth requisite pam_deny.so',
        '|',
        'auth required pam_permit.so',
      ],
    ],
    [
      'not where an earlier line jumps over',
      [
        'auth [success=3 default=ignore] pam_succeed_if.so user = backup',
        'auth required pam_unix.so',
        'auth required pam_a.so',
        'auth required pam_b.so',
        '|',
        'auth required pam_permit.so',
      ],
    ],
    [
      'after a chain of jumps',
      [
        'auth [success=2 default=ignore] pam_succeed_if.so user = backup',
        'auth required pam_unix.so',
        'auth [default=2] pam_a.so',
        'auth required pam_b.so',
        'auth required pam_c.so',
        '|',
      ],
    ],
    ['after a whole include', ['auth include common-auth', '|', 'auth optional pam_group.so']],
    ['after a substack', ['auth substack common-auth', '|', 'account required pam_unix.so']],
    ['after a line that goes on', ['auth required \\', '  pam_unix.so', '|', 'auth optional pam_group.so']],
    [
      'after a line that goes on behind blanks, an empty line and a comment',
      ['auth required \\ \t', '', '# not this \\', '  pam_unix.so', '|', 'auth optional pam_group.so'],
    ],
    [
      'after a comment, which goes on nowhere',
      ['auth required pam_unix.so # code: \\', '|', 'auth optional pam_group.so'],
    ],
    [
      'below a comment that names a module',
      ['# auth required pam_sss.so', '@include common-auth', '|', '# pam_unix.so'],
    ],
    ['after a substack that something ends below the password', ['auth substack locking', '|']],
    ['after root was let through', ['auth sufficient pam_rootok.so', '@include common-auth', '|']],
  ])('goes %s', (_where, lines) => {
    expect(placed(...lines.filter((line) => line !== '|'))).toBe(lines.join('\n'));
  });

  it.each([
    [
      'a right password ends the stack',
      ['auth sufficient pam_unix.so', 'auth required pam_deny.so'],
      'line 1: with "sufficient"',
    ],
    ['it does so in brackets', ['auth [success=done default=ignore] pam_unix.so'], 'ends the stack'],
    ['nothing asks for a password', ['auth required pam_env.so'], 'asks for a password, so it is not clear'],
    [
      'that is so with an SSH key',
      ['account required pam_unix.so'],
      'docs/guides/switch-on-and-off.md, "Key and code, without the password"',
    ],
    [
      'its last line goes on into nothing',
      ['auth required pam_unix.so \\', '# end'],
      'line 1: the line ends with a backslash',
    ],
    ['there is no auth stack', ['account required pam_unix.so'], 'asks for a password, so it is not clear'],
    [
      'a line jumps into nowhere',
      ['auth [success=2 default=ignore] pam_unix.so', 'auth requisite pam_deny.so'],
      '/etc/pam.d/door, line 1: "[success=2 default=ignore]" jumps past the end',
    ],
    [
      'anybody is let in before',
      ['auth sufficient pam_permit.so', 'auth required pam_unix.so'],
      'line 1: with "sufficient" pam_permit.so ends the stack, and a code would never be asked for',
    ],
    [
      'something else than a password ends the stack',
      ['auth [success=done default=ignore] pam_fprintd.so', 'auth required pam_unix.so'],
      'line 1: with "[success=done default=ignore]" pam_fprintd.so ends the stack',
    ],
    [
      'what stands below the password in an included file ends the stack',
      ['@include locking'],
      '/etc/pam.d/locking, line 3: with "sufficient" the stack of door ends there, and a code would never be asked for. ' +
        'Write "auth substack locking" into /etc/pam.d/door first',
    ],
    [
      'a right password is the end of all',
      ['auth [success=die default=ignore] pam_unix.so', 'auth requisite pam_deny.so'],
      'With a code, nobody could log in through door any more',
    ],
    [
      'nothing refuses a wrong password',
      ['auth [success=ok default=ignore] pam_unix.so'],
      'somebody could log in through door without the right password',
    ],
    [
      'somebody else wrote it',
      ['@include common-auth', 'auth required pam_pve_authenticator.so nullok'],
      '/etc/pam.d/door already names pam_pve_authenticator.so in line 2',
    ],
  ])('is refused where %s', (_why, lines, says) => {
    expect(placed(...lines)).toContain(says);
  });

  it('is refused where an included file has it', () => {
    others['foreign'] = `${COMMON}auth required pam_pve_authenticator.so\n`;
    others['guarded'] = `${COMMON}auth required pam_pve_authenticator.so ${MARK}\n`;
    for (const how of ['@include', 'auth include', 'auth substack']) {
      expect(placed(`${how} foreign`)).toContain('/etc/pam.d/foreign already names');
      expect(guard(`${how} guarded`, 'door')).toEqual({ kind: 'covered', by: 'guarded' });
    }
  });

  it('exempts root if asked to, with a jump that lands', () => {
    const lines = guardLines({ arguments: [], exemptRoot: true });
    expect(lines.map((line) => line.split(/\s+/)[0])).toEqual(['auth', 'auth', 'auth']);
    expect(lines[0]).toContain('[success=1 default=ignore] pam_succeed_if.so quiet uid = 0');
    expect(guard('@include common-auth', 'login', { exemptRoot: true })).toEqual({
      kind: 'changed',
      text: `@include common-auth\n${lines.join('\n')}`,
    });
  });
});

describe('a service', () => {
  it.each(['cron', 'atd', 'chsh', 'chfn', 'passwd', 'systemd-user', 'cups', 'samba', 'lightdm-autologin'])(
    '%s is not switched on',
    (name) => {
      expect(whyNotGuarded(name)).toContain(name);
      // It can be switched off all the same.
      expect(whyNoService(name)).toBeUndefined();
    },
  );
  it.each(['sshd', 'login', 'su', 'sudo', 'proxmox-ve-auth', 'something-else'])('%s may be', (name) => {
    expect(whyNotGuarded(name)).toBeUndefined();
  });
});

describe('the name of a service', () => {
  it.each(['sshd', 'su-l', 'polkit-1', 'systemd-user', 'proxmox-ve-auth'])('%s is one', (name) => {
    expect(whyNoService(name)).toBeUndefined();
  });
  it.each([
    '',
    '.',
    '..',
    '../passwd',
    'a/b',
    '/etc/shadow',
    '-f',
    '.sshd.new',
    'sshd\n',
    'a b',
    'x'.repeat(65),
    'other',
    'common-auth',
  ])('%j is none', (name) => {
    expect(whyNoService(name)).toBeDefined();
  });
});
