/* The setup with a scripted person, and a daemon that records its requests. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CommandError, type ControlClient } from '../../../../src/command/session/control-client.ts';
import { NoAnswerError } from '../../../../src/command/terminal/questions.ts';
import type { Session } from '../../../../src/command/session/session.ts';
import { parseFlags } from '../../../../src/command/setup/flags.ts';
import { setUp } from '../../../../src/command/setup/setup.ts';
import type { ChangesRequest, FactorView, NewFactor } from '../../../../src/contracts/control-requests.ts';
import { decodeBase32 } from '../../../../src/factors/base32.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const STEP = 55_000_000;
const PHONE = { id: 'abcdef', name: 'phone', kind: 'totp' } as FactorView;
const CODES = { id: 'ghijkl', name: 'codes', kind: 'recovery' } as FactorView;

/** An answer of the person: a text, or a function of the screen. */
type Reply = string | (() => string) | undefined;

let lines: string[];
let notes: string[];
let asked: string[];
let changes: ChangesRequest[];
let checked: ChangesRequest[];
let checkRefused: CommandError | undefined;
let factors: FactorView[];
let demandsProof: boolean;

beforeEach(() => {
  lines = [];
  notes = [];
  asked = [];
  changes = [];
  checked = [];
  checkRefused = undefined;
  factors = [];
  demandsProof = false;
});

const ask = (_method: string, _path: readonly string[], body?: unknown): Promise<unknown> => {
  const request = body as ChangesRequest;
  if (request.check === true) {
    checked.push(request);
    return checkRefused === undefined
      ? Promise.resolve({ added: [], view: { user: 'alice', factors }, needsProof: demandsProof })
      : Promise.reject(checkRefused);
  }
  if (demandsProof && request.proof === undefined) {
    return Promise.reject(new CommandError('ERR_PROOF_NEEDED', 'A code is needed'));
  }
  changes.push(request);
  return Promise.resolve({
    added: [{ user: 'alice', factor: PHONE, secret: 'X' }],
    view: { user: 'alice', factors },
  });
};

async function walk(line: string, ...replies: Reply[]): Promise<void> {
  const session: Session = {
    questions: {
      interactive: true,
      ask: (prompt) => {
        asked.push(prompt);
        const reply = replies.shift();
        return reply === undefined
          ? Promise.reject(new NoAnswerError('interrupted'))
          : Promise.resolve(typeof reply === 'string' ? reply : reply());
      },
      close: () => undefined,
    },
    output: { line: (text) => lines.push(text), note: (text) => notes.push(text), terminal: undefined },
    root: false,
    now: () => STEP * 30_000,
    self: () => 'alice',
    daemon: () => ({ ask }) as unknown as ControlClient,
  };
  await setUp(session, parseFlags(line === '' ? [] : line.split(' ')));
  expect(replies, 'everything was asked').toEqual([]);
}

const shownSecret = (): string => /or type: ([A-Z2-7 ]+)$/m.exec(lines.join('\n'))![1]!.replaceAll(' ', '');
const appCode =
  (counter: number, digits: 6 | 8 = 6, algorithm: 'sha1' | 'sha256' = 'sha1') =>
  (): string =>
    hotpValue({ secret: decodeBase32(shownSecret())!, algorithm, digits }, counter).toString();
const added = (): NewFactor[] =>
  changes.flatMap((request) =>
    request.changes.flatMap((change) => (change.do === 'add' ? [change.factor] : [])),
  );

describe('the interactive setup', () => {
  it('asks in the order that people know, with a default for each question', async () => {
    await walk('', '', appCode(STEP), '', '', '');
    expect(asked.map((prompt) => /\[[yn]\] $/.exec(prompt)?.[0] ?? prompt)).toEqual([
      '[y] ',
      'Code from your app (Enter shows the key again, -1 skips): ',
      '[y] ',
      '[n] ',
      '[y] ',
    ]);
    const [token, recovery] = added();
    expect(token).toMatchObject({
      kind: 'totp',
      secret: shownSecret(),
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      window: 3,
      usedStep: STEP,
      limit: { attempts: 3, seconds: 30 },
    });
    const codes = recovery?.kind === 'recovery' ? recovery.codes! : [];
    expect(codes).toHaveLength(10);
    expect(lines.join('\n')).toContain(codes.map((code) => `  ${code}`).join('\n'));
    expect(lines.at(-1)).toContain('alice now has the factor phone (abcdef)');
    expect(changes).toHaveLength(1);
  });

  it('takes every answer', async () => {
    await walk('', 'N', appCode(3), 'yes', 'y', 'n');
    expect(added()[0]).toMatchObject({ kind: 'hotp', counter: 4, window: 21, limit: undefined });
  });

  it('asks again until an answer is valid', async () => {
    await walk('-C', 'perhaps', 'y', 'x', 'y', '', '');
    expect(asked).toHaveLength(6);
  });

  it.each([0, 1, 2, 3, 4])('changes nothing when somebody leaves at question %i', async (count) => {
    const replies = ['', appCode(STEP), '', '', ''].slice(0, count);
    await expect(walk('', ...replies)).rejects.toBeInstanceOf(NoAnswerError);
    expect(changes).toEqual([]);
  });

  it('asks nothing when the daemon would refuse what the flags say', async () => {
    checkRefused = new CommandError('ERR_NAME_TAKEN', 'There is a factor of that name');
    await expect(walk('-t --name=phone -S 60 -w 5 -r 2 -R 60')).rejects.toBe(checkRefused);
    expect([asked, lines, changes]).toEqual([[], [], []]);
    expect(checked[0]?.changes).toMatchObject([
      {
        do: 'add',
        factor: { kind: 'totp', name: 'phone', period: 60, window: 5, limit: { attempts: 2, seconds: 60 } },
      },
    ]);
  });

  it('changes nothing if the person does not want to save', async () => {
    await walk('', '', appCode(STEP), 'n');
    expect(changes).toEqual([]);
    expect(notes.at(-1)).toBe('Nothing was changed.');
  });

  it('says what is wrong with a code, but never which one would be right', async () => {
    const replies = ['', '12', '000000', appCode(STEP + 10), '', '-5', '-1', '', '', ''] as const;
    await walk('', ...replies);
    expect(notes.slice(0, 3)).toEqual([
      'A code has 6 digits. Try again.',
      'Code incorrect. Try again.',
      expect.stringContaining('about 5 minutes ahead of'),
    ]);
    expect(lines.filter((line) => line.startsWith('Scan this'))).toHaveLength(2);
    const told = [...lines, ...notes].join('\n');
    for (const step of [-1, 0, 1]) {
      expect(told).not.toContain(appCode(STEP + step)());
    }
    expect(added()[0]).toMatchObject({ usedStep: undefined });
  });

  it.each([
    [120, 'about 1 hour ahead of'],
    [-120, 'about 1 hour behind'],
    [-2 * 60 * 13 - 60, 'about 13 hours 30 minutes behind'],
    [5000, 'about 1 day 17 hours 40 minutes ahead of'],
  ])('tells a phone whose clock is %i steps off which clock to look at', async (steps, off) => {
    // The secret is fixed, because a random one could have equal codes at other times.
    const own = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
    await walk('-t -f -u -w 3 --own-secret', own, appCode(STEP + steps), appCode(STEP));
    expect(notes[0]).toContain(
      `This code belongs to another time: the phone's clock is ${off} this machine's`,
    );
    expect(notes[0]).toContain('where it is 2022-04-15 05:20 UTC');
  });

  it('asks for a proof at its end if there is a factor already, and keeps existing recovery codes', async () => {
    factors = [PHONE, CODES];
    demandsProof = true;
    await walk('-t', appCode(STEP), '', '', '', '123456');
    expect(changes[0]!.proof).toBe('123456');
    expect(added().map(({ kind }) => kind)).toEqual(['totp']);
    expect(notes).toContain('The existing recovery codes stay valid.');
    expect(notes[0]).toContain('at the end you will need a code of it, or a recovery code');
    expect(notes[1]).toContain('alice already has phone (totp), codes (recovery)');
  });
});

describe('flags', () => {
  it('answer questions', async () => {
    await walk(
      '-t -d -f -w 5 -r 2 -R 60 --digits=8 --algorithm=sha256 --name=pixel-7 -e 3',
      appCode(STEP, 8, 'sha256'),
    );
    expect(added()).toMatchObject([
      {
        kind: 'totp',
        window: 5,
        limit: { attempts: 2, seconds: 60 },
        digits: 8,
        algorithm: 'sha256',
        name: 'pixel-7',
      },
      { kind: 'recovery', codes: { length: 3 } },
    ]);
    expect(notes).toContain('Each code works once.');
  });

  it('explains that -D has no effect', async () => {
    await walk('-t -D -f -C -w 3 -u');
    expect(notes).toContain('-D has no effect here: each code works only once.');
    expect(added()[0]).toMatchObject({ limit: undefined });
  });

  it('-q -f ask nothing and show nothing', async () => {
    await walk('-q -f');
    expect([asked, lines, notes]).toEqual([[], [], []]);
    expect(added()).toMatchObject([{ kind: 'totp', window: 3, limit: { attempts: 3, seconds: 30 } }]);
  });

  it('-q alone still asks', async () => {
    await walk('-q', 'y', 'y', 'n', 'y');
    expect(lines).toEqual([]);
  });

  it('--json prints one line, which holds everything', async () => {
    await walk('-t -f -q --json -l me -i us -e 2');
    expect(lines).toHaveLength(1);
    const shown = JSON.parse(lines[0]!) as { uri: string; codes: string[] };
    expect(shown.uri).toMatch(/^otpauth:\/\/totp\/us:me\?secret=[A-Z2-7]{32}&issuer=us$/);
    expect(shown.codes).toHaveLength(2);
  });

  it('--own-secret reads it from the input', async () => {
    await walk('-t -f -q --own-secret', '0x3132333435363738393031323334353637383930');
    expect(added()[0]).toMatchObject({ secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ' });
    await expect(walk('-t -f -q --own-secret', 'too short')).rejects.toThrow('That is not a secret');
  });

  it('-W and windows of counters are as in google-authenticator', async () => {
    await walk('-t -W -q -f');
    await walk('-c -W -q -f');
    await walk('-c -q -f');
    expect(added()).toMatchObject([{ window: 3 }, { window: 1 }, { window: 10 }]);
  });
});

describe('--secret', () => {
  it('writes the file of pam_google_authenticator, and asks no daemon', async () => {
    const path = join(makeDirectory(), 'file');
    await walk(`-t -d -f -q -r 3 -R 30 -w 3 -Q none -C -s ${path}`);
    expect(asked).toEqual([]);
    expect(readFileSync(path, 'utf8')).toMatch(
      /^[A-Z2-7]{32}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 3\n" DISALLOW_REUSE\n" TOTP_AUTH\n(\d{8}\n){5}$/,
    );
    expect(changes).toEqual([]);
  });

  it('asks what google-authenticator asks', async () => {
    const path = join(makeDirectory(), 'file');
    await walk(`-s ${path}`, '', appCode(STEP), '', 'n', '', 'n');
    const text = readFileSync(path, 'utf8');
    expect(text).not.toContain('DISALLOW_REUSE');
    expect(text).not.toContain('RATE_LIMIT');
    expect(asked[3]).toContain('work only once');
    expect(lines.join('\n')).toContain(/(\d{8}\n){5}$/.exec(text)![0].slice(0, 8));
  });

  it('counts from 1, and on from the code that was confirmed', async () => {
    const path = join(makeDirectory(), 'file');
    await walk(`-c -f -q -e 0 -s ${path}`);
    expect(readFileSync(path, 'utf8')).toMatch(/" WINDOW_SIZE 3\n" HOTP_COUNTER 1\n$/);
    await walk(`-c -f -w 3 -u -e 0 -s ${path}`, appCode(1));
    expect(readFileSync(path, 'utf8')).toMatch(/" HOTP_COUNTER 2\n$/);
  });

  it.each(['/nowhere/file', '/etc/passwd/file', '/tmp'])(
    'asks nothing when %s cannot be written',
    async (path) => {
      await expect(walk(`-s ${path}`)).rejects.toMatchObject({ code: 'ERR_FILE' });
      expect([asked, lines]).toEqual([[], []]);
    },
  );

  it('leaves the old file when somebody leaves', async () => {
    const path = join(makeDirectory(), 'file');
    await expect(walk(`-t -C -s ${path}`, '', '')).rejects.toBeInstanceOf(NoAnswerError);
    expect(existsSync(path)).toBe(false);
  });
});
