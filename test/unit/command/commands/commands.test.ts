/* The commands with a daemon that answers what the test says. */
import { chmodSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { beforeEach, describe, expect, it } from 'vitest';
import { addCommand } from '../../../../src/command/commands/add.ts';
import { exportCommand } from '../../../../src/command/commands/export.ts';
import { forgetCommand } from '../../../../src/command/commands/forget.ts';
import { importCommand } from '../../../../src/command/commands/import.ts';
import { listCommand } from '../../../../src/command/commands/list.ts';
import { pauseCommands } from '../../../../src/command/commands/pause.ts';
import { qrCommand } from '../../../../src/command/commands/qr.ts';
import { recoveryCommand } from '../../../../src/command/commands/recovery.ts';
import { removeCommand } from '../../../../src/command/commands/remove.ts';
import { renameCommand } from '../../../../src/command/commands/rename.ts';
import { repairCommand } from '../../../../src/command/commands/repair.ts';
import { rotateCommand } from '../../../../src/command/commands/rotate.ts';
import { rulesCommand } from '../../../../src/command/commands/rules.ts';
import { rehearseCommand } from '../../../../src/command/commands/rehearse.ts';
import { statusCommand } from '../../../../src/command/commands/status.ts';
import { unlockCommand } from '../../../../src/command/commands/unlock.ts';
import { decodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { drawQr } from '../../../../src/command/terminal/qr.ts';
import { otpauthUri } from '../../../../src/formats/otpauth-uri.ts';
import { CommandError, type ControlClient } from '../../../../src/command/session/control-client.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';
import type {
  AddedFactor,
  Changed,
  FactorView,
  UserView,
} from '../../../../src/contracts/control-requests.ts';

const PHONE: FactorView = {
  id: 'abcdef',
  kind: 'totp',
  name: 'phone',
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  added: '2026-01-02T03:04:05.000Z',
  lastUsed: null,
  paused: false,
};
const viewOf = (user: string, factors: readonly FactorView[], uid = 1000): UserView => ({
  user,
  uid,
  factors,
  enrolled: 'store',
  lockedUntil: null,
});
const CODES: FactorView = {
  id: 'mnopqr',
  kind: 'recovery',
  name: 'codes',
  codesLeft: 7,
  paused: false,
  added: '2026-01-02T03:04:05.000Z',
  lastUsed: null,
};
const ADDED: AddedFactor = {
  user: 'alice',
  factor: PHONE,
  secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  uri: 'otpauth://totp/pve1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=pve1',
};

const otpauthOf = (user: string): string => {
  const factor = {
    ...PHONE,
    secret: Buffer.from('12345678901234567890'),
    algorithm: 'sha1',
    digits: 6,
    period: 30,
    window: 3,
  } as const;
  return otpauthUri(factor, hostname(), user);
};

let requests: unknown[];
/** Requests that are only checked. */
let checks: unknown[];
let checkRefused: Error | undefined;
let lines: string[];
let notes: string[];
let answer: unknown;
/** The answer to GET, if not the usual one. */
let seen: UserView | undefined;
/** What the person types. */
let typed: (() => string)[];
/** Who that is, and whether at a terminal. */
let root: boolean;
let interactive: boolean;

beforeEach(() => {
  requests = [];
  checks = [];
  checkRefused = undefined;
  seen = undefined;
  typed = [];
  root = false;
  interactive = false;
  lines = [];
  notes = [];
});

async function run(...words: string[]): Promise<void> {
  const program = new Command('pve-google-authenticator');
  const session = {
    questions: { interactive, ask: () => Promise.resolve(typed.shift()!()), close: () => undefined },
    root,
    now: () => 0,
    self: () => 'myself',
    output: {
      line: (text: string) => lines.push(text),
      note: (text: string) => notes.push(text),
      terminal: undefined,
    },
    daemon: () =>
      ({
        ask: (...request: unknown[]) => {
          if ((request[2] as { check?: true } | undefined)?.check === true) {
            checks.push(request);
            return checkRefused === undefined
              ? Promise.resolve({ added: [], view: viewOf('alice', []), needsProof: true })
              : Promise.reject(checkRefused);
          }
          requests.push(request);
          return Promise.resolve(request[0] === 'GET' && seen !== undefined ? seen : answer);
        },
        list: (...request: unknown[]) => {
          requests.push(['GET', ...request]);
          return Promise.resolve(answer);
        },
      }) as unknown as ControlClient,
  };
  addCommand(program, session);
  importCommand(program, session);
  listCommand(program, session);
  removeCommand(program, session);
  for (const command of [
    exportCommand,
    forgetCommand,
    repairCommand,
    statusCommand,
    qrCommand,
    renameCommand,
    pauseCommands,
    recoveryCommand,
    rotateCommand,
    rulesCommand,
    rehearseCommand,
  ]) {
    command(program, session);
  }
  unlockCommand(program, session);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.commands.forEach(quiet);
  };
  quiet(program);
  await program.parseAsync(words, { from: 'user' });
}

describe('add totp', () => {
  beforeEach(() => {
    answer = { added: [ADDED], view: viewOf('alice', [PHONE]) } satisfies Changed;
  });

  it('requests only the wanted settings', async () => {
    await run('add', 'totp', '--user', 'alice');
    expect(JSON.stringify(requests)).toBe(
      '[["POST",["users","alice","changes"],{"changes":[{"do":"add","factor":{"kind":"totp"}}]}]]',
    );
    await run(
      'add',
      'totp',
      '--user',
      'CORP\\al b',
      '-n',
      'pixel-7',
      '--algorithm',
      'sha512',
      '--digits',
      '8',
      '--period',
      '60',
    );
    expect(requests[1]).toEqual([
      'POST',
      ['users', 'CORP\\al b', 'changes'],
      {
        changes: [
          {
            do: 'add',
            factor: { kind: 'totp', name: 'pixel-7', algorithm: 'sha512', digits: 8, period: 60 },
          },
        ],
      },
    ]);
  });

  it('shows the key in groups of four, the QR code, and says which factor it is', async () => {
    await run('add', 'totp', '--user', 'alice');
    expect(lines[0]).toContain('GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ');
    expect(lines.slice(1, -1)).toEqual(drawQr(otpauthOf('alice'), 'UTF8').lines);
    expect(lines.at(-1)).toBe(
      'Factor phone (abcdef) was added for alice. To show its QR code again: pve-google-authenticator qr abcdef --user alice',
    );
    expect(notes).toEqual([]);
  });

  it('prints JSON in one line', async () => {
    await run('add', 'totp', '--user', 'alice', '--json');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual(ADDED);
  });

  it.each([
    [['add']],
    [['add', 'sms']],
    [['add', 'totp', 'alice']],
    [['add', 'totp', '--user', 'alice', 'bob']],
    [['add', 'totp', '--user']],
    [['add', 'totp', '--user', 'alice', '--digits', '5']],
    [['add', 'totp', '--user', 'alice', '--algorithm', 'md5']],
    [['add', 'totp', '--user', 'alice', '--period', '14']],
    [['add', 'totp', '--user', 'alice', '--period', '121']],
    [['add', 'totp', '--user', 'alice', '--period', '0x1e']],
    [['add', 'totp', '--user', 'alice', '--period', '']],
    [['add', 'totp', '--user', 'alice', '--colour']],
  ])('refuses %j before the daemon is asked', async (words) => {
    await expect(run(...words)).rejects.toBeInstanceOf(CommanderError);
    expect(requests).toEqual([]);
  });
});

describe('list', () => {
  const USERS: UserView[] = [
    viewOf('alice', [PHONE, { ...PHONE, id: 'ghijkl', name: 'pixel-7', paused: true }, CODES]),
    viewOf('a-long-name', [{ ...PHONE, lastUsed: '2026-02-03T04:05:06.000Z' }], 1001),
  ];

  it('prints a table', async () => {
    answer = USERS;
    await run('list');
    expect(requests).toEqual([['GET', ['users']]]);
    expect(lines).toEqual([
      'alice:',
      '  NAME     KIND      ID      ADDED       LAST USED   REMARKS',
      '  phone    totp      abcdef  2026-01-02  never',
      '  pixel-7  totp      ghijkl  2026-01-02  never       paused',
      '  codes    recovery  mnopqr  2026-01-02  never       7 codes left',
      'a-long-name:',
      '  NAME     KIND      ID      ADDED       LAST USED   REMARKS',
      '  phone    totp      abcdef  2026-01-02  2026-02-03',
    ]);
  });

  it('says until when somebody is locked', async () => {
    answer = [{ ...viewOf('alice', [CODES]), lockedUntil: '2026-02-03T04:05:06.000Z' }];
    await run('list');
    expect(notes).toEqual(['alice: locked for some origins until 2026-02-03 04:05']);
  });

  it('fits 80 columns with the longest kinds, and says sentences where a name is too long for that', async () => {
    const imported = { ...PHONE, kind: 'google-authenticator', codesLeft: 5 } as const;
    answer = [viewOf('alice', [imported, { ...PHONE, kind: 'yubikey-offline', name: 'yubikey1' }])];
    await run('list');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[2]).toContain('google-authenticator');
    lines = [];
    answer = [viewOf('alice', [{ ...imported, name: 'n'.repeat(32) }])];
    await run('list');
    expect(lines[1]).toBe(
      `  ${'n'.repeat(32)} (google-authenticator, abcdef), added 2026-01-02 03:04, never used, 5 codes left`,
    );
  });

  it('lists one user', async () => {
    answer = USERS[0];
    await run('list', '--user', 'alice');
    expect(requests).toEqual([['GET', ['users', 'alice']]]);
    expect(lines).toHaveLength(5);
  });

  it('reports problems beside the result, and never says "not enrolled" for an unread user', async () => {
    answer = [
      { ...viewOf('bob', [], -1), problem: 'its record cannot be read', enrolled: 'unusable' },
      { ...viewOf('eve', []), lockedUntil: '2026-02-03T04:05:06.000Z', enrolled: 'elsewhere' },
    ];
    await run('list');
    expect(lines).toEqual([]);
    expect(notes).toEqual([
      'eve: locked for some origins until 2026-02-03 04:05',
      'eve: has a factor outside the store',
      'What bob has enrolled cannot be used (its record cannot be read). Logins of bob that ask for a code are refused.',
      expect.stringContaining('pve-google-authenticator doctor'),
    ]);
    notes = [];
    answer = { ...viewOf('bob', []), problem: 'the reader does not answer', enrolled: 'unknown' };
    await run('list', '--user', 'bob');
    expect(notes[0]).toBe(
      'The daemon could not read what bob has enrolled (the reader does not answer). Logins of bob that ask for a code are refused meanwhile.',
    );
    expect(notes.join('\n')).not.toContain('No factor');
  });

  it('says that there is nothing', async () => {
    answer = [{ ...viewOf('eve', []), enrolled: 'elsewhere' }];
    await run('list');
    expect(notes.at(-1)).toBe('No factor is in the store.');
    answer = { ...viewOf('bob', []), enrolled: 'none' };
    await run('list', '--user', 'bob');
    expect(notes.at(-1)).toBe('No factor is enrolled.');
  });

  it('prints sentences', async () => {
    answer = USERS;
    await run('list', '--plain');
    expect(lines[1]).toBe('alice: pixel-7 (totp, ghijkl), added 2026-01-02 03:04, never used, paused');
    expect(lines[3]).toBe(
      'a-long-name: phone (totp, abcdef), added 2026-01-02 03:04, last used 2026-02-03 04:05',
    );
  });

  it('prints JSON, a list also for one user', async () => {
    answer = USERS[0];
    await run('list', '--user', 'alice', '--json');
    expect(JSON.parse(lines.join(''))).toEqual([USERS[0]]);
    expect(notes).toEqual([]);
  });
});

it('refuses an impossible name, which would be sent as another user', async () => {
  for (const name of ['', 'a/b', ' ', '-x']) {
    await expect(run('list', `--user=${name}`), name).rejects.toMatchObject({ code: 'ERR_USAGE' });
  }
  expect(requests).toEqual([]);
});

describe('remove', () => {
  it('removes, and reports the remaining factors', async () => {
    answer = { added: [], view: viewOf('alice', [PHONE]) };
    await run('remove', 'pixel-7', '--user', 'alice');
    const sent = { changes: [{ do: 'remove', factor: 'pixel-7' }] };
    expect(requests.at(-1)).toEqual(['POST', ['users', 'alice', 'changes'], sent]);
    expect(lines).toEqual(['Factor pixel-7 was removed. alice has 1 left.']);
  });

  it('warns when it was the last one', async () => {
    answer = { added: [], view: viewOf('alice', []) };
    await run('remove', 'phone', '--user', 'alice');
    expect(lines[0]).toMatch(/has no factor left and is no longer enrolled/);
    answer = { added: [], view: { ...viewOf('alice', []), enrolled: 'elsewhere' } };
    await run('remove', 'phone', '--user', 'alice');
    expect(lines[1]).toMatch(/no factor left in the store\. A factor outside it counts now/);
  });

  it('prints what is left as JSON', async () => {
    answer = { added: [], view: viewOf('alice', []) };
    await run('remove', 'phone', '--user', 'alice', '--json');
    expect(JSON.parse(lines.join(''))).toEqual(viewOf('alice', []));
  });
});

describe('permanent removals by root', () => {
  const acts: readonly (readonly [words: readonly string[], goes: string])[] = [
    [['remove', 'phone', '--user', 'alice'], 'alice loses the factor phone (totp, abcdef).'],
    [['recovery', '--user', 'alice'], 'The 7 recovery codes that alice has left stop working.'],
    [['rotate', 'phone', '--user', 'alice'], 'The old secret of phone (totp, abcdef) of alice stops working'],
    [['forget', '--user', 'alice'], 'alice counts as not enrolled'],
    [['repair'], 'Each of them may work once more.'],
    [['export', '--user', 'alice', '--remove'], 'the store no longer has the imported factors of alice'],
  ];
  const changing = (): unknown[] => requests.filter((request) => (request as unknown[])[0] !== 'GET');

  beforeEach(() => {
    root = true;
    seen = viewOf('alice', [PHONE, CODES]);
    answer = { added: [], view: seen };
  });

  it.each(acts)('%j: without a terminal it needs --yes, and names the loss', async (words, goes) => {
    await expect(run(...words)).rejects.toMatchObject({
      code: 'ERR_NOT_AGREED',
      message: expect.stringMatching(/Nothing was changed: there is no terminal.*--yes/s) as string,
    });
    await expect(run(...words)).rejects.toThrow(goes);
    expect(changing()).toEqual([]);
  });

  it.each(acts)('%j: at a terminal it names the loss and asks; Enter means no', async (words, goes) => {
    interactive = true;
    typed = [() => ''];
    await expect(run(...words)).rejects.toMatchObject({ code: 'ERR_DECLINED' });
    expect([notes.join('\n'), typed]).toEqual([expect.stringContaining(goes), []]);
    expect(changing()).toEqual([]);
  });

  it('is done after a yes, or with --yes, and by others than root after their code', async () => {
    interactive = true;
    typed = [() => 'y'];
    await run('remove', 'phone', '--user', 'alice');
    interactive = false;
    await run('remove', 'phone', '--user', 'alice', '--yes');
    root = false;
    await run('remove', 'phone');
    expect(changing()).toHaveLength(3);
  });

  it('says that it is the last factor', async () => {
    seen = viewOf('alice', [PHONE]);
    await expect(run('remove', 'abcdef', '--user', 'alice')).rejects.toThrow('It is the last one.');
  });

  it('asks nothing if nothing is lost', async () => {
    seen = viewOf('alice', [PHONE]);
    await run('recovery', '--user', 'alice');
    await run('rotate', '-C', 'phone', '--user', 'alice');
    await run('remove', 'tablet', '--user', 'alice');
    expect(changing()).toHaveLength(3);
  });
});

describe('impossible commands', () => {
  it.each([
    ['add', 'yubikey', '--user', 'alice', '--name', 'not a name'],
    ['rotate', 'phone', '--user', 'alice'],
  ])('is refused before the first question: %s %s', async (...words) => {
    checkRefused = new CommandError('ERR_BAD_REQUEST', 'factor.name: letters only');
    answer = viewOf('alice', [PHONE]);
    await expect(run(...words)).rejects.toBe(checkRefused);
    expect([lines, typed]).toEqual([[], []]);
    expect(checks).toHaveLength(1);
  });

  it('a proof is announced at the start', async () => {
    typed = [() => 'vvvvvvvvvvvv'];
    answer = { added: [], view: viewOf('alice', []) };
    await run('add', 'yubikey', '--user', 'alice');
    expect(notes[0]).toContain('at the end you will need a code of it');
  });
});

/** The changes of the last request. */
const sent = (): unknown => (requests.at(-1) as unknown[])[2];

describe('rules test', () => {
  beforeEach(() => {
    answer = { userExists: true, rules: [], holds: null };
  });

  it.each([
    ['rules test sshd --user alice 192.0.2.0/24', '"192.0.2.0/24" is not an address'],
    ['rules test sshd --user alice pve1.example.org', '"pve1.example.org" is not an address'],
    ['rules test sshd --user alice 192.0.2.7:22', 'is not an address'],
    ['rules test /etc/pam.d/sshd --user alice', '"/etc/pam.d/sshd" cannot be the name of a service'],
    ['rules test sshd --user al:ice', '"al:ice" cannot be the name of a user'],
    ['rehearse sshd --user alice --from pve1.example.org', '"pve1.example.org" is not an address'],
    ['rehearse sshd --user al:ice', '"al:ice" cannot be the name of a user'],
  ])('%s is refused before anybody is asked', async (words, why) => {
    await expect(run(...words.split(' '))).rejects.toMatchObject({
      code: 'ERR_USAGE',
      message: expect.stringContaining(why) as string,
    });
    expect(requests).toEqual([]);
  });

  it.each(['192.0.2.7', '2001:db8::1', 'fe80::1%eth0'])('asks about a login from %s', async (address) => {
    await run('rules', 'test', 'sshd', address, '--user', 'CORP\\alice jones');
    expect(requests).toEqual([['GET', ['rules', 'sshd', 'CORP\\alice jones', address]]]);
  });

  it('says that PAM does not know the service', async () => {
    await run('rules', 'test', 'shhd', '--user', 'alice');
    expect(notes[0]).toContain('is shhd the name of the service?');
  });
});

describe('status', () => {
  it('says in sentences what a login finds', async () => {
    answer = { ...viewOf('myself', [PHONE, CODES]), lockedUntil: '2026-02-03T04:05:06.000Z' };
    await run('status');
    expect(requests[0]).toEqual(['GET', ['users', 'myself']]);
    expect(lines.slice(0, 4)).toEqual([
      'myself: These factors are enrolled:',
      '  phone (totp, abcdef), added 2026-01-02 03:04, never used',
      '  codes (recovery, mnopqr), added 2026-01-02 03:04, never used, 7 codes left',
      expect.stringContaining(
        'until 2026-02-03 04:05. A recovery code works. To end the lock now: sudo pve-google-auth',
      ),
    ]);
    for (const [enrolled, words] of [
      ['none', /Set one up with: pve-google-authenticator$/],
      ['elsewhere', /outside the store/],
      ['unusable', /cannot be used. Logins of alice that ask for a code are refused/],
      ['unknown', /could not read what alice has enrolled/],
    ] as const) {
      answer = { ...viewOf('alice', []), enrolled };
      lines = [];
      await run('status', '--user', 'alice');
      expect(lines[0]).toMatch(words);
    }
  });
});

describe('qr', () => {
  it('requests the secret, and shows it in the wanted form', async () => {
    answer = ADDED;
    await run('qr', 'pixel-7', '--qr-mode=utf8-inverse', '-i', 'us', '-l', 'me');
    expect(requests).toEqual([['POST', ['users', 'myself', 'factors', 'pixel-7', 'show'], {}]]);
    const uri = 'otpauth://totp/us:me?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=us';
    expect(lines.slice(1)).toEqual(drawQr(uri, 'UTF8_INVERSE').lines);
    await run('qr', 'pixel-7', '--user', 'alice', '-Q', 'none');
    expect(lines.at(-1)).toBe('Key for your authenticator app: GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ');
    await expect(run('qr', 'pixel-7', '-Q', 'svg')).rejects.toBeInstanceOf(CommanderError);
  });
});

describe('rename, pause, resume and unlock', () => {
  it('ask for one change each, of oneself or of somebody', async () => {
    answer = { added: [], view: viewOf('alice', [PHONE]) };
    await run('rename', 'phone', 'pixel-7');
    expect(requests.at(-1)).toEqual([
      'POST',
      ['users', 'myself', 'changes'],
      { changes: [{ do: 'rename', factor: 'phone', name: 'pixel-7' }] },
    ]);
    await run('rename', 'phone', 'pixel-7', '--user', 'alice');
    expect(requests.at(-1)).toMatchObject(['POST', ['users', 'alice', 'changes'], {}]);
    await run('pause', 'phone', '--user', 'alice');
    expect(sent()).toEqual({ changes: [{ do: 'pause', factor: 'phone' }] });
    await run('resume', 'phone');
    expect(sent()).toEqual({ changes: [{ do: 'resume', factor: 'phone' }] });
    expect(lines).toEqual([
      'Factor phone of alice is pixel-7 now.',
      'Factor phone of alice is pixel-7 now.',
      'Factor phone of alice is paused.',
      'Factor phone of alice is active again.',
    ]);
    await expect(run('rename', 'phone')).rejects.toBeInstanceOf(CommanderError);
    answer = viewOf('alice', []);
    await run('unlock', '--user', 'alice');
    expect(requests.at(-1)).toEqual(['POST', ['users', 'alice', 'unlock'], {}]);
  });
});

describe('recovery', () => {
  it('exchanges the codes in one change, and prints a sheet', async () => {
    seen = viewOf('alice', [PHONE, CODES]);
    const codes = ['AAAA-BBBB-CCCC-DDDD', 'EEEE-FFFF-GGGG-HHHH'];
    answer = { added: [{ user: 'alice', factor: CODES, codes }], view: seen };
    await run('recovery', '--user', 'alice');
    expect(sent()).toEqual({
      changes: [
        { do: 'remove', factor: 'mnopqr' },
        { do: 'add', factor: { kind: 'recovery' } },
      ],
    });
    expect(lines).toEqual([
      `Recovery codes of alice on ${hostname()}, each good for one login:`,
      '',
      '  AAAA-BBBB-CCCC-DDDD',
      '  EEEE-FFFF-GGGG-HHHH',
      '',
      'Keep them where the phone is not. They are not shown again.',
    ]);
    expect(notes).toEqual(['The old recovery codes no longer work.']);
  });
});

describe('rotate', () => {
  const limit = { attempts: 3, seconds: 30 };
  beforeEach(() => {
    seen = viewOf('alice', [{ ...PHONE, digits: 8, window: 5, limit }, CODES]);
    answer = { added: [{ ...ADDED, factor: { ...PHONE, name: 'phone-2' } }], view: seen };
  });

  it('exchanges the secret in one change when a code of the new one was typed', async () => {
    const shown = (): Buffer =>
      decodeBase32(/or type: ([A-Z2-7 ]+)$/.exec(lines[0]!)![1]!.replaceAll(' ', ''))!;
    typed = [() => hotpValue({ secret: shown(), algorithm: 'sha1', digits: 8 }, 1).toString()];
    await run('rotate', 'phone', '--user', 'alice');
    expect(sent()).toMatchObject({
      changes: [
        { do: 'remove', factor: 'abcdef' },
        { do: 'add', factor: { kind: 'totp', name: 'phone', digits: 8, window: 5, limit, usedStep: 1 } },
      ],
    });
    expect(lines.at(-1)).toBe('Done: the old secret of phone no longer works.');
  });

  it('leaves the old one when it was not confirmed', async () => {
    await run('rotate', '-C', 'phone', '--user', 'alice');
    expect(sent()).toMatchObject({ changes: [{ do: 'add', factor: { name: undefined } }] });
    expect(lines.at(-1)).toBe(
      'Both work now: phone (abcdef) and phone-2. After a login with the new one: pve-google-authenticator remove abcdef --user alice',
    );
  });

  it('rotates phones and tokens only', async () => {
    await expect(run('rotate', 'codes', '--user', 'alice')).rejects.toThrow(
      'pve-google-authenticator recovery --user alice',
    );
    await expect(run('rotate', 'none', '--user', 'alice')).rejects.toThrow('has no such factor');
    expect(new Set(requests.map((request) => (request as unknown[])[0]))).toEqual(new Set(['GET']));
  });
});

describe('import --keys', () => {
  const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  const NEW = { kind: 'totp', imported: true, secret: SECRET } as const;
  const directory = temporaryDirectories();

  beforeEach(() => {
    answer = { added: [ADDED], view: viewOf('alice', [PHONE]) } satisfies Changed;
  });

  it('takes all lines of the input up to an empty one in one request, and shows no secret', async () => {
    typed = [() => SECRET, () => `otpauth://hotp/a?secret=${SECRET}&counter=7`, () => ''];
    await run('import', '--user', 'alice', '--keys', '-', '--digits', '8', '--json');
    const token = { ...NEW, kind: 'hotp', algorithm: 'sha1', digits: 6, counter: 7 };
    expect(requests).toEqual([
      [
        'POST',
        ['users', 'alice', 'changes'],
        { changes: [NEW, token].map((factor) => ({ do: 'add', factor: expect.objectContaining(factor) })) },
      ],
    ]);
    expect(requests).toMatchObject([[{}, {}, { changes: [{ factor: { digits: 8 } }, {}] }]]);
    expect(JSON.parse(lines.join(''))).toEqual([{ user: 'alice', factor: PHONE }]);
  });

  it('takes a file, and says that it holds the secrets', async () => {
    const file = join(directory(), 'keys');
    writeFileSync(file, `# mine\r\n${SECRET}\r\n`, { mode: 0o600 });
    await run('import', '--keys', file, '--name', 'pixel-7', '--period', '300');
    expect(requests).toMatchObject([
      [
        'POST',
        ['users', 'myself', 'changes'],
        { changes: [{ factor: { ...NEW, name: 'pixel-7', period: 300 } }] },
      ],
    ]);
    expect(lines).toEqual(['alice: imported phone (totp, abcdef)']);
    expect(notes).toEqual([`${file} holds the secrets: delete it when you no longer need it`]);
    chmodSync(file, 0o644);
    await run('import', '--keys', file);
    expect(notes[1]).toContain('other users can read it');
  });

  it('changes nothing when a line, the file or the command line is wrong', async () => {
    const file = join(directory(), 'keys');
    await expect(run('import', '--keys', file)).rejects.toThrow(`${file} cannot be read (ENOENT)`);
    writeFileSync(file, `${SECRET}\n${SECRET.slice(4)}!\n`);
    await expect(run('import', '--keys', file)).rejects.toThrow(
      /^line 2, key: it must be .*Nothing was imported\.$/s,
    );
    writeFileSync(file, `${SECRET}\nJBSWY3DPEHPK3PXP\n`);
    await expect(run('import', '--keys', file, '--name', 'x')).rejects.toThrow(
      'One name cannot be given to 2',
    );
    writeFileSync(file, '#'.repeat(65_537));
    await expect(run('import', '--keys', file)).rejects.toThrow('more than 65536 bytes');
    for (const more of [
      ['--all'],
      ['--replace'],
      ['--from', 'x'],
      ['--as', 'root'],
      ['--period', '301'],
      ['--digits', '9'],
    ]) {
      await expect(run('import', '--keys', file, ...more)).rejects.toThrow(CommanderError);
    }
    await expect(run('import', '--period', '60')).rejects.toThrow(CommanderError);
    expect(requests).toEqual([]);
  });
});
