import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notRun } from '../daemon/stage.ts';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';

/* The same command lines and the same answers for Debian's google-authenticator and for ours: exit status, and what the file says then. */

const THEIRS = '/usr/bin/google-authenticator';
const there = spawnSync(THEIRS, ['--help']).status === 0;
const AT_ONCE = 4;
/** Lines with default values, which one of the programs leaves out: theirs the window, ours the time step. */
const USUAL = ['" WINDOW_SIZE 3', '" STEP_SIZE 30'];

/** Command lines with `-s FILE`, whose questions are all answered with y. */
const WRITTEN = [
  ...['', '-t', '-c', '--time-based', '--counter-based', '-t -C', '-t -C -C --no-confirm', '-c -C'],
  ...['-t -d', '-d -t', '-t -D', '--time-based --allow-reuse', '--time-based --disallow-reuse', '--dis --ti'],
  ...['-t -f', '-t --force', '-t -q', '-t --quiet', '-c -q', '-t -q -f', '-q -f', '-c -q -f', '-tqf', '-qfC'],
  ...['-t -l me', '-t -lme', '-t --label=a=b', '-t --label me', '-t -i pve', '-t --issuer=', '-t --iss=x'],
  ...['-t -Q none', '-t -Q ansi', '-t -Q UTF8', '-t --qr-mode=None', '-t -Qutf8'],
  ...['-t -r 1 -R 15', '-t --rate-time=600 --rate-limit=10', '-R 30 -r 3', '-c -r 3 -R 30', '-t -u', '-c -u'],
  ...[
    '-t -S 1',
    '-t -S60',
    '-t --step-size=30',
    '-t -S 45',
    '-c -S 45',
    '-t -w 1',
    '-t -w 21',
    '-t --window-size=6',
  ],
  ...[
    '-t -W',
    '-t --minimal-window',
    '-c -W',
    '-c -w 5',
    '-t -e 0',
    '-t -e 10',
    '-t --emergency-codes=7',
    '-c -e 3',
  ],
  ...['-t -d -f -q -r 3 -R 30 -w 3 -Q none -C', '-c -f -q -u -W -e 1 -C', '-tqw3', '-t -d -u -W -S 60 -e 0'],
];

/** Command lines that are wrong, each with `-s FILE`. */
const WRONG = [
  ...[
    '-t -t',
    '-t -c',
    '-c -t',
    '-c -c',
    '-t -d -d',
    '-t -d -D',
    '-t -D -d',
    '-t -D -D',
    '-f -f',
    '-q -q',
    '-u -u',
  ],
  ...['-l a -l b', '-i a -i b', '-Q none -Q none', '-r 3 -r 3 -R 30', '-r 3 -R 30 -R 30', '-s other'],
  ...['-S 30 -S 30', '-w 3 -w 3', '-w 3 -W', '-W -w 3', '-W -W', '-e 1 -e 1', '-qfq'],
  ...[
    '-c -d',
    '-c -D',
    '-d -c',
    '-d',
    '-D',
    '-t -r 3',
    '-t -R 30',
    '-t -u -r 3 -R 30',
    '-t -u -R 30',
    '-t -r 3 -u',
  ],
  ...[
    '-t -r 0 -R 30',
    '-t -r 11 -R 30',
    '-t -r x -R 30',
    '-t -r 3.5 -R 30',
    '-t -r -1 -R 30',
    '-t -r 3 -R 14',
  ],
  ...['-t -r 3 -R 601', '-t -S 0', '-t -S 61', '-t -S 0x10', '-t -w 0', '-t -w 22', '-t -w 3a', '-t -e 11'],
  ...[
    '-t -e -1',
    '-t -e=',
    '-t -Q svg',
    '-t -Q',
    '-t --label',
    '-t --quiet=yes',
    '-x',
    '-tx',
    '--colour',
    '--rate=3',
  ],
  ...['-t alice', '-t -', '-t -- alice'],
];

const ASKS_NOTHING =
  'with --quiet --force ours asks nothing, and takes the defaults: theirs still asks three questions';
/** The deliberate differences, and why; docs/reference/commands.md has a table of them. */
const ON_PURPOSE: Readonly<Record<string, string>> = {
  '-t -q -f': ASKS_NOTHING,
  '-q -f': ASKS_NOTHING,
  '-c -q -f': ASKS_NOTHING,
  '-tqf': ASKS_NOTHING,
  '-qfC': ASKS_NOTHING,
  '-t alice': 'a word too many is an error: theirs prints the usage and ends with 0',
  '-t -': 'a word too many is an error: theirs prints the usage and ends with 0',
  '-t -- alice': 'a word too many is an error: theirs prints the usage and ends with 0',
};

interface Outcome {
  readonly status: number | null;
  /** The file's contents without its secrets; undefined if there is no file. */
  readonly file: readonly string[] | undefined;
}

let directory: string;
let count = 0;

async function outcome(
  program: readonly string[],
  line: string,
  answers: readonly string[],
): Promise<Outcome> {
  const home = `${directory}/${++count}`;
  const file = `${home}/file`;
  const words = line === '' ? [] : line.split(' ');
  const argv = ['env', `HOME=${home}`, 'sh', '-c', 'mkdir "$HOME" && cd "$HOME" && exec "$@"', 'sh'];
  const { status } = await run([...argv, ...program, '-s', file, ...words], `${answers.join('\n')}\n`);
  const files = readdirSync(home);
  expect(
    files.filter((name) => name !== 'file'),
    'nothing else is left behind',
  ).toEqual([]);
  return { status, file: files.includes('file') ? shapeOf(readFileSync(file, 'utf8')) : undefined };
}

function shapeOf(text: string): string[] {
  const [secret = '', ...lines] = text.trimEnd().split('\n');
  expect(secret).toMatch(/^[A-Z2-7]{16,32}$/);
  return lines
    .filter((line) => !USUAL.includes(line))
    .map((line) => line.replace(/^[1-9]\d{7}$/, 'a scratch code'));
}

const OURS = [process.execPath, `${CHECKOUT}/dist/command/main.js`];

/** The questions of this command line, up to the last one. */
function answersTo(line: string, whose: 'theirs' | 'ours'): string[] {
  const has = (flag: RegExp): boolean => flag.test(` ${line} `);
  const counts = has(/ (-c|--counter-based) /);
  const chosen = counts || has(/ (-t\w*|--time-based|--ti) /);
  const quiet = has(/ (-\w*q\w*|--quiet) /);
  // Ours asks for a code of a token that counts, too.
  const confirmed = !quiet && !has(/ (-\w*C|--no-confirm) /) && (whose === 'ours' || !counts);
  return [...(chosen ? [] : ['y']), ...(confirmed ? ['-1'] : []), 'y', 'y', 'y', 'y'];
}

/** Both programs for each command line, a few at once. */
async function compared(
  lines: readonly string[],
  answers: typeof answersTo,
): Promise<(readonly [line: string, theirs: Outcome, ours: Outcome])[]> {
  const results: (readonly [string, Outcome, Outcome])[] = [];
  const rest = [...lines];
  const worker = async (): Promise<void> => {
    for (let line = rest.shift(); line !== undefined; line = rest.shift()) {
      const theirs = await outcome([THEIRS], line, answers(line, 'theirs'));
      results.push([line, theirs, await outcome(OURS, line, answers(line, 'ours'))]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

function expectSame(results: Awaited<ReturnType<typeof compared>>): void {
  const differ = results.filter(([, theirs, ours]) => JSON.stringify(theirs) !== JSON.stringify(ours));
  expect(differ.filter(([line]) => !(line in ON_PURPOSE)).map((each) => JSON.stringify(each))).toEqual([]);
  // A difference that no longer exists must leave the list.
  const lines = results.map(([line]) => line);
  const listed = Object.keys(ON_PURPOSE).filter((line) => lines.includes(line));
  expect(differ.map(([line]) => line).sort()).toEqual(listed.sort());
}

if (!there) {
  notRun('the flags of google-authenticator', 'libpam-google-authenticator is not installed');
}

describe.runIf(there)('the flags of google-authenticator', () => {
  beforeAll(() => {
    directory = mkdtempSync(`${tmpdir()}/pve-authenticator-flags-`);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test('mean the same, alone and together', async () => {
    const results = await compared(WRITTEN, answersTo);
    expect(results.filter(([, theirs]) => theirs.status !== 0 || theirs.file === undefined)).toEqual([]);
    expectSame(results);
  });

  test('are refused alike, and nothing is written', async () => {
    const results = await compared(WRONG, answersTo);
    const writing = results.filter(([, theirs, ours]) => (theirs.file ?? ours.file) !== undefined);
    expect(writing).toEqual([]);
    expect(results.filter(([, , ours]) => ours.status !== 1)).toEqual([]);
    expectSame(results);
  });

  test('answers mean the same: n to everything, n to the file, nobody there', async () => {
    const kinds = ['-t', '-c'];
    const no = (line: string, whose: 'theirs' | 'ours'): string[] =>
      answersTo(line, whose).map((answer, at, all) => (at > all.length - 4 ? 'n' : answer));
    expectSame(await compared(kinds, no));
    const unsaved = await compared(kinds, (line, whose) => [...answersTo(line, whose).slice(0, -4), 'n']);
    expect(unsaved.map(([, theirs]) => theirs)).toEqual(kinds.map(() => ({ status: 0, file: undefined })));
    expectSame(unsaved);
    const gone = await compared(['', '-t', '-c'], () => []);
    expect(gone.map(([, theirs]) => theirs.status)).toEqual([1, 1, 1]);
    expectSame(gone);
  });
});
