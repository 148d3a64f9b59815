import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineAll, type Check, type Report } from '../../../../src/command/doctor/check.ts';
import { factorsCheck } from '../../../../src/command/doctor/checks/factors.ts';
import { nullokCheck } from '../../../../src/command/doctor/checks/nullok.ts';
import { optionsCheck } from '../../../../src/command/doctor/checks/options.ts';
import { orderCheck } from '../../../../src/command/doctor/checks/order.ts';
import { twiceCheck } from '../../../../src/command/doctor/checks/twice.ts';
import { rehearse } from '../../../../src/command/rehearsal/libpam.ts';
import { describedMachine } from '../../fixtures/described-machine.ts';

/* Applies the changes of a remedy to the described files. */

const OURS = 'auth required pam_pve_authenticator.so';
/** Debian's own. */
const COMMON = [
  'auth [success=1 default=ignore] pam_unix.so nullok',
  'auth requisite pam_deny.so',
  'auth required pam_permit.so',
];
const PAM_CHECKS = [optionsCheck, orderCheck, twiceCheck];

type Files = Readonly<Record<string, readonly string[]>>;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pam-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
const examine = (
  checks: readonly Check[],
  files: Readonly<Record<string, string>>,
  daemon: Readonly<Record<string, unknown>> = {},
): Promise<readonly Report[]> => examineAll(checks, describedMachine({ files, daemon }));
const inPam = (files: Files): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, lines]) => [`/etc/pam.d/${name}`, textOf(lines)]));

/** Fixes findings until there are none; returns the first findings, and the resulting files. */
async function mended(files: Files): Promise<{ found: readonly Report[]; after: Files }> {
  const now = inPam(files);
  const found = await examine(PAM_CHECKS, now);
  for (let left = found; left.length > 0; left = await examine(PAM_CHECKS, now)) {
    for (const act of left[0]!.remedy!.acts) {
      expect(act.do === 'write' && now[act.path] !== act.text, 'each mend changes something').toBe(true);
      now[(act as { path: string }).path] = (act as { text: string }).text;
    }
  }
  const after = Object.fromEntries(
    Object.entries(now).map(([path, text]) => [path.split('/').at(-1)!, text.trimEnd().split('\n')]),
  );
  return { found, after };
}

describe('pam.d as it should be', () => {
  it.each<[string, Files]>([
    ['below common-auth', { sshd: ['@include common-auth', OURS], 'common-auth': COMMON }],
    ['with options in brackets', { sshd: [...COMMON, `${OURS} [authtok_prompt=Your code: ] nullok`] }],
    ['in one string', { web: [`${OURS} forward_pass`, 'auth required pam_unix.so try_first_pass'] }],
    [
      'root exempt',
      {
        login: [
          ...COMMON,
          'auth [success=1 default=ignore] pam_succeed_if.so uid = 0',
          OURS,
          'auth required pam_permit.so',
        ],
      },
    ],
    ['su, where root is not asked', { su: ['auth sufficient pam_rootok.so', ...COMMON, OURS] }],
    [
      'a substack that ends itself',
      { sshd: ['auth substack common-auth', OURS], 'common-auth': ['auth sufficient pam_unix.so'] },
    ],
    ['nothing of ours', { sshd: ['auth sufficient pam_unix.so'] }],
  ])('%s', async (_how, files) => {
    expect(await examine(PAM_CHECKS, inPam(files))).toEqual([]);
  });
});

describe('the order', () => {
  it('moves a line that is jumped over to where the jump lands', async () => {
    const { found, after } = await mended({ sshd: [COMMON[0]!, OURS, ...COMMON.slice(1)] });
    expect(found).toMatchObject([{ check: 'order', what: expect.stringContaining('jumps over') as string }]);
    expect(after['sshd']).toEqual([COMMON[0], COMMON[1], OURS, COMMON[2]]);
  });
  it('denies a wrong password where a right one ended the stack', async () => {
    const { after } = await mended({ sshd: ['auth sufficient pam_unix.so try_first_pass', OURS] });
    expect(after['sshd']).toEqual([
      'auth [success=1 default=ignore] pam_unix.so try_first_pass',
      'auth requisite pam_deny.so',
      COMMON[2],
      OURS,
    ]);
  });
  it('jumps over a denial that is there', async () => {
    const { after } = await mended({
      sshd: ['auth sufficient pam_unix.so', 'auth sufficient pam_sss.so', 'auth required pam_deny.so', OURS],
    });
    expect(after['sshd']).toEqual([
      'auth [success=2 default=ignore] pam_unix.so',
      'auth [success=1 default=ignore] pam_sss.so',
      'auth required pam_deny.so',
      COMMON[2],
      OURS,
    ]);
  });
  it('denies a wrong password once, where several modules may know it', async () => {
    const { found, after } = await mended({
      sshd: ['auth sufficient pam_unix.so', 'auth sufficient pam_sss.so', OURS],
    });
    expect(found).toHaveLength(1);
    expect(after['sshd']).toEqual([
      'auth [success=2 default=ignore] pam_unix.so',
      'auth [success=1 default=ignore] pam_sss.so',
      'auth requisite pam_deny.so',
      COMMON[2],
      OURS,
    ]);
  });
  it('turns an include that ends the stack into a substack', async () => {
    const { after } = await mended({
      sshd: ['# sshd', '@include system', OURS],
      system: ['auth sufficient pam_unix.so', 'auth required pam_deny.so', 'account required pam_unix.so'],
    });
    expect(after['sshd']).toEqual(['# sshd', 'auth substack system', 'account include system', OURS]);
  });
  it('finds a line that ends the stack after the password line', async () => {
    const { found, after } = await mended({
      sshd: ['@include locking', OURS],
      locking: [
        'auth [success=1 default=ignore] pam_unix.so',
        'auth [default=die] pam_faillock.so authfail',
        'auth sufficient pam_faillock.so authsucc',
        'auth requisite pam_deny.so',
      ],
    });
    expect(found).toMatchObject([
      {
        what: expect.stringContaining(
          'locking, line 3: with "sufficient" the stack of sshd ends there',
        ) as string,
      },
    ]);
    expect(after['sshd']).toEqual(['auth substack locking', OURS]);
  });
  it('looks before a substack, too', async () => {
    const { after } = await mended({
      sshd: ['auth sufficient pam_permit.so', 'auth substack asking'],
      asking: ['auth required pam_unix.so', OURS],
    });
    expect(after['sshd']).toEqual(['auth substack asking']);
  });
  it('puts the password first', async () => {
    const { after } = await mended({ sshd: [OURS, '@include common-auth'], 'common-auth': COMMON });
    expect(after['sshd']).toEqual(['@include common-auth', OURS]);
  });
});

describe('after a removal', () => {
  /** The stack after a removal, and whether libpam then accepts a right and a wrong password. */
  const letsIn = async (files: Files, password: 'right' | 'wrong'): Promise<boolean> => {
    const value = password === 'right' ? 'success' : 'auth_err';
    for (const [name, lines] of Object.entries(files)) {
      const without = lines.map((line) =>
        line
          .replace(/^.*pam_pve_authenticator.*$/, 'auth [default=ignore] pam_permit.so')
          .replace(/pam_(unix|sss)\.so.*/, `pam_debug.so auth=${value}`)
          .replace(/^(@include|auth substack) /, `$&${directory}/`),
      );
      writeFileSync(join(directory, name), textOf([...without, 'account required pam_permit.so']));
    }
    const nobody = { ask: () => undefined, tell: () => undefined, close: () => undefined };
    const rehearsal = { service: 'sshd', user: 'nobody', directory, flags: 0, tty: 'tty', ruser: 'nobody' };
    return (await rehearse(rehearsal, nobody)).at === 'account';
  };

  it.each<[string, Files]>([
    ['a right password ended the stack', { sshd: ['auth sufficient pam_unix.so', OURS] }],
    [
      'one of two did, above a denial',
      {
        sshd: [
          'auth sufficient pam_unix.so',
          'auth sufficient pam_sss.so',
          'auth required pam_deny.so',
          OURS,
        ],
      },
    ],
    [
      'the line was jumped over, to the end',
      {
        sshd: ['auth [success=2 default=ignore] pam_unix.so', OURS, 'auth requisite pam_deny.so', COMMON[2]!],
      },
    ],
    ['the line was jumped over', { sshd: [COMMON[0]!, OURS, ...COMMON.slice(1)] }],
    ['the line was the first, and all that said yes', { sshd: [OURS, ...COMMON.slice(0, 2)] }],
    ['something always ended it', { sshd: [...COMMON.slice(0, 2), 'auth sufficient pam_permit.so', OURS] }],
    [
      'an included file ended it',
      { sshd: ['@include system', OURS], system: ['auth sufficient pam_unix.so'] },
    ],
    ['a jump was meant for the line', { sshd: [...COMMON.slice(0, 2), OURS] }],
    [
      'a jump in an included file was meant for it',
      { sshd: ['@include system', OURS], system: COMMON.slice(0, 2) },
    ],
  ])('the right password lets in where %s, and no other', async (_how, files) => {
    const { after } = await mended(files);
    expect([await letsIn(after, 'right'), await letsIn(after, 'wrong')]).toEqual([true, false]);
  });

  it('keeps a line that asks only for a code as the only one that grants access', async () => {
    const { after } = await mended({ sshd: [OURS] });
    expect(after['sshd']).toEqual([OURS]);
    expect(await letsIn(after, 'right')).toBe(false);
  });
});

describe('two questions', () => {
  it('takes out the line of the service, when all services have one', async () => {
    const files = { sshd: ['@include common-auth', OURS], 'common-auth': [...COMMON, OURS] };
    const { found, after } = await mended(files);
    expect(found).toHaveLength(1);
    expect(after).toEqual({ sshd: ['@include common-auth'], 'common-auth': [...COMMON, OURS] });
  });
  it('keeps the line of another module, so that it can be given back', async () => {
    const old = 'auth [success=ok default=die] pam_google_authenticator.so secret=/a&b/\\${USER} # mine';
    const exempt = 'auth [success=1 default=ignore] pam_succeed_if.so user ingroup machines';
    const { after } = await mended({ sshd: [...COMMON, exempt, old, OURS] });
    expect(after['sshd']).toEqual([
      ...COMMON,
      exempt,
      `auth [default=ignore] pam_permit.so # put aside by pve-google-authenticator: ${old}`,
      OURS,
    ]);
  });
  it('makes one of the lines that a backslash joins', async () => {
    const old = ['auth required \\', '  pam_oath.so usersfile=/etc/users.oath \\', '  window=5'];
    const { after } = await mended({ sshd: [...COMMON, ...old, OURS] });
    expect(after['sshd']?.[3]).toBe(
      'auth [default=ignore] pam_permit.so # put aside by pve-google-authenticator: auth required pam_oath.so usersfile=/etc/users.oath window=5',
    );
  });
  it('leaves the other module to services that have no other code', async () => {
    const old = 'auth required pam_google_authenticator.so';
    const files = {
      sshd: ['@include common-auth', OURS],
      login: ['@include common-auth'],
      'common-auth': [...COMMON, old],
    };
    expect(await examine(PAM_CHECKS, inPam(files))).toMatchObject([
      {
        check: 'twice',
        what: expect.stringContaining('login asks for that code only') as string,
        mend: '${EDITOR:-vi} /etc/pam.d/common-auth',
      },
    ]);
  });
});

describe('what the line says', () => {
  it.each([
    [`${OURS} nulok`, OURS],
    [`${OURS} secret=`, OURS],
    [`${OURS} [authtok_promt=a/b.c] nullok`, `${OURS} nullok`],
    ['auth sufficient pam_pve_authenticator.so', OURS],
    ['auth [success=done default=die] pam_pve_authenticator.so', OURS],
    ['auth optional pam_pve_authenticator.so', OURS],
    ['auth requird pam_pve_authenticator.so', OURS],
    [`-${OURS}`, OURS],
    ['auth required /lib/nowhere/pam_pve_authenticator.so', OURS],
  ])('%s', async (line, better) => {
    const { found, after } = await mended({ sshd: [...COMMON, line] });
    expect(found).toMatchObject([{ check: 'options' }]);
    expect(after['sshd']).toEqual([...COMMON, better]);
  });
});

describe('people', () => {
  const files = {
    ...inPam({ sshd: [...COMMON, `${OURS} nullok`] }),
    '/etc/passwd': [
      'root:x:0:0::/root:/bin/bash',
      'alice:x:1000:1000::/home/alice:/bin/bash',
      'locked:x:1001:1001::/home/locked:/bin/bash',
      'www-data:x:33:33::/var/www:/usr/sbin/nologin',
    ].join('\n'),
    '/etc/shadow': 'root:$y$x:1\nalice:$y$x:1\nlocked:!:1\n',
  };
  const rules = { holds: null, rules: [], userExists: true };
  const users = (root: string, alice: string): Record<string, unknown> => ({
    'users/root': { enrolled: root },
    'users/alice': { enrolled: alice },
    'rules/sshd/root': rules,
    'rules/sshd/alice': rules,
  });

  it('a user without a factor gets in without a code, because of nullok', async () => {
    expect(await examine([factorsCheck, nullokCheck], files, users('store', 'none'))).toMatchObject([
      {
        check: 'factors',
        what: expect.stringMatching(/^alice has no factor: the password alone lets people in/) as string,
        mend: 'pve-google-authenticator add recovery --user alice',
      },
    ]);
  });
  it('nullok may go when everybody has one', async () => {
    expect(await examine([factorsCheck, nullokCheck], files, users('store', 'elsewhere'))).toMatchObject([
      {
        check: 'nullok',
        what: expect.stringContaining('sshd, line 4') as string,
        mend: 'pve-google-authenticator doctor --fix=nullok',
      },
    ]);
  });
  it("it must stay while somebody's enrolment is unknown", async () => {
    expect(await examine([factorsCheck, nullokCheck], files, users('store', 'unknown'))).toEqual([]);
  });
  it('users whom a rule skips need none', async () => {
    const skip = { holds: 1, rules: [{ number: 1, action: 'skip' }] };
    const daemon = { ...users('store', 'none'), 'rules/sshd/alice': skip };
    expect(await examine([factorsCheck], files, daemon)).toEqual([]);
  });
  it('root can no longer log in without nullok', async () => {
    const strict = { ...files, ...inPam({ sshd: [...COMMON, OURS] }) };
    expect(await examine([factorsCheck], strict, users('none', 'store'))).toMatchObject([
      {
        what: expect.stringMatching(/^root has no factor, and can no longer log in through sshd/) as string,
      },
    ]);
  });
});
