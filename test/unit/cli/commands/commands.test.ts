/* The commands with a daemon that answers what the test says. */
import { Command, CommanderError } from 'commander';
import { beforeEach, describe, expect, it } from 'vitest';
import { encode } from 'uqr';
import { addCommand } from '../../../../src/cli/commands/add.ts';
import { listCommand } from '../../../../src/cli/commands/list.ts';
import { removeCommand } from '../../../../src/cli/commands/remove.ts';
import type { ControlClient } from '../../../../src/cli/control-client.ts';
import type { AddedFactor, Changed, FactorView, UserView } from '../../../../src/control/requests.ts';

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
  ...{ user, uid, factors },
  ...{ enrolled: 'store', lockedUntil: null },
});
const ADDED: AddedFactor = {
  user: 'alice',
  factor: PHONE,
  secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
  uri: 'otpauth://totp/pve1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=pve1',
};

let requests: unknown[];
let lines: string[];
let notes: string[];
let answer: unknown;

beforeEach(() => {
  requests = [];
  lines = [];
  notes = [];
});

async function run(...words: string[]): Promise<void> {
  const program = new Command('pve-google-authenticator');
  const session = {
    questions: { interactive: false, ask: () => Promise.reject(new Error('asked')), close: () => undefined },
    self: () => 'myself',
    output: {
      line: (text: string) => lines.push(text),
      note: (text: string) => notes.push(text),
      terminal: false,
    },
    daemon: () =>
      ({
        ask: (...request: unknown[]) => {
          requests.push(request);
          return Promise.resolve(answer);
        },
      }) as unknown as ControlClient,
  };
  addCommand(program, session);
  listCommand(program, session);
  removeCommand(program, session);
  const quiet = (command: Command): void => {
    command.exitOverride().configureOutput({ writeErr: () => undefined });
    command.commands.forEach(quiet);
  };
  quiet(program);
  await program.parseAsync(words, { from: 'user' });
}

/** The light modules of a QR code that is drawn with half blocks: two rows of modules in each line. */
function modules(text: string): boolean[][] {
  return text
    .split('\n')
    .flatMap((line) => [
      Array.from(line, (character) => '█▀'.includes(character)),
      Array.from(line, (character) => '█▄'.includes(character)),
    ]);
}

describe('add totp', () => {
  beforeEach(() => {
    answer = { added: [ADDED], view: viewOf('alice', [PHONE]) } satisfies Changed;
  });

  it('asks for nothing but what was wanted', async () => {
    await run('add', 'totp', 'alice');
    expect(JSON.stringify(requests)).toBe(
      '[["POST",["users","alice","changes"],{"changes":[{"do":"add","factor":{"kind":"totp"}}]}]]',
    );
    await run(
      'add',
      'totp',
      'a/b',
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
      ['users', 'a/b', 'changes'],
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

  it('shows the key in groups of four, and says which factor it is', async () => {
    await run('add', 'totp', 'alice');
    expect(lines.join('\n')).toContain('GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ');
    expect(lines.at(-1)).toBe('Factor phone (abcdef) was added for alice. The key is not shown again.');
    expect(notes).toEqual([]);
  });

  it('draws the QR code of the URI, with four light modules around it', async () => {
    await run('add', 'totp', 'alice');
    const drawn = modules(lines[0]!);
    const { data, size } = encode(ADDED.uri!, { ecc: 'L', border: 0 });
    const expected = Array.from({ length: size + 8 }, (_, row) =>
      Array.from({ length: size + 8 }, (__, column) => !(data[row - 4]?.[column - 4] ?? false)),
    );
    // An odd number of rows leaves half a line at the end.
    expect(drawn.slice(0, size + 8)).toEqual(expected);
    expect(drawn.every((row) => row.length === size + 8)).toBe(true);
  });

  it('prints JSON in one line', async () => {
    await run('add', 'totp', 'alice', '--json');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toEqual(ADDED);
  });

  it.each([
    [['add']],
    [['add', 'sms', 'alice']],
    [['add', 'totp', 'alice', 'bob']],
    [['add', 'totp', 'alice', '--digits', '5']],
    [['add', 'totp', 'alice', '--algorithm', 'md5']],
    [['add', 'totp', 'alice', '--period', '14']],
    [['add', 'totp', 'alice', '--period', '121']],
    [['add', 'totp', 'alice', '--period', '0x1e']],
    [['add', 'totp', 'alice', '--period', '']],
    [['add', 'totp', 'alice', '--colour']],
  ])('refuses %j before the daemon is asked', async (words) => {
    await expect(run(...words)).rejects.toBeInstanceOf(CommanderError);
    expect(requests).toEqual([]);
  });
});

describe('list', () => {
  const USERS: UserView[] = [
    viewOf('alice', [PHONE, { ...PHONE, id: 'ghijkl', name: 'pixel-7' }]),
    viewOf('a-long-name', [{ ...PHONE, lastUsed: '2026-02-03T04:05:06.000Z' }], 1001),
  ];

  it('prints a table', async () => {
    answer = USERS;
    await run('list');
    expect(requests).toEqual([['GET', ['users']]]);
    expect(lines).toEqual([
      'USER         FACTOR  NAME     ID      ADDED             LAST USED',
      'alice        totp    phone    abcdef  2026-01-02 03:04  never',
      'alice        totp    pixel-7  ghijkl  2026-01-02 03:04  never',
      'a-long-name  totp    phone    abcdef  2026-01-02 03:04  2026-02-03 04:05',
    ]);
  });

  it('lists one user', async () => {
    answer = USERS[0];
    await run('list', 'alice');
    expect(requests).toEqual([['GET', ['users', 'alice']]]);
    expect(lines).toHaveLength(3);
  });

  it('says beside the result what is wrong, and that there is nothing', async () => {
    answer = [{ user: 'bob', uid: -1, factors: [], problem: 'its record cannot be read' }];
    await run('list');
    expect(lines).toEqual([]);
    expect(notes).toEqual(['bob: its record cannot be read', 'No factor is enrolled.']);
  });

  it('prints JSON, a list also for one user', async () => {
    answer = USERS[0];
    await run('list', 'alice', '--json');
    expect(JSON.parse(lines.join(''))).toEqual([USERS[0]]);
    expect(notes).toEqual([]);
  });
});

describe('remove', () => {
  it('removes, and says what is left', async () => {
    answer = { added: [], view: viewOf('alice', [PHONE]) };
    await run('remove', 'alice', 'pixel-7');
    const sent = { changes: [{ do: 'remove', factor: 'pixel-7' }] };
    expect(requests).toEqual([['POST', ['users', 'alice', 'changes'], sent]]);
    expect(lines).toEqual(['Factor pixel-7 was removed. alice has 1 left.']);
  });

  it('warns when it was the last one', async () => {
    answer = { added: [], view: viewOf('alice', []) };
    await run('remove', 'alice', 'phone');
    expect(lines[0]).toMatch(/has no factor left and is not enrolled any more/);
  });

  it('prints what is left as JSON', async () => {
    answer = { added: [], view: viewOf('alice', []) };
    await run('remove', 'alice', 'phone', '--json');
    expect(JSON.parse(lines.join(''))).toEqual(viewOf('alice', []));
  });
});
