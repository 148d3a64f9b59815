import { beforeAll, describe, expect, it } from 'vitest';
import type { Suite } from '../../runner/plan.ts';
import { Run } from '../../runner/run.ts';
import type { Size } from '../../runner/sizes.ts';

const HERE = 'test/unit/runner/fixtures';
const TIME = /(?<=\[|in |took )\d+:\d\d/g;

/** Runs fixtures with the real vitest. */
async function run(
  suites: readonly Suite[],
  size: Size = 'default',
): Promise<{ well: boolean; lines: string[] }> {
  const lines: string[] = [];
  const plan = {
    suites,
    leftOut: 'left out: much',
    rounds: 'reduced',
    environment: {},
    notRun: [['a third thing', 'for another reason']],
  } as const;
  const durations = { full: { [`${HERE}/good.fixture.ts`]: 600 } };
  const well = await new Run(plan, size, durations, (text) => lines.push(...text.split('\n'))).all();
  return { well, lines: lines.map((line) => line.replaceAll(TIME, 'TIME')) };
}

function fixtures(...names: string[]): Suite {
  const files = names.map((name) => `${HERE}/${name}.fixture.ts`);
  const vitest = [
    process.execPath,
    'node_modules/vitest/vitest.mjs',
    'run',
    `--config=${HERE}/vitest.config.ts`,
  ];
  const reporter = `--reporter=${process.cwd()}/test/runner/reporter.ts`;
  return { kind: 'alone', name: 'end-to-end', argv: [...vitest, reporter, ...names], files };
}

const program = (script: string): Suite => ({ kind: 'program', name: 'module', argv: ['sh', '-c', script] });

it('says what runs, which file of how many, since when and how long yet, and counts at the end', async () => {
  const { well, lines } = await run([fixtures('good')], 'full');
  expect(well).toBe(true);
  expect(lines[0]).toBe('Size full; left out: much. Rounds: reduced. It should take about 10 min.');
  expect(lines[1]).toBe(`[TIME] end-to-end, file 1 of 1: ${HERE}/good.fixture.ts, about 10 min yet`);
  expect(lines[2]).toMatch(/^ +1 passed, 1 skipped in [\d.]+ s$/);
  expect(lines.at(-1)).toBe('1 passed, 0 failed, 1 skipped');
  // A full run is for its figures, too.
  expect(lines.join('\n')).toContain('figures of a good file');
});

describe('a run with failures', () => {
  let lines: string[];
  let text: string;
  let well: boolean;

  beforeAll(async () => {
    const failing = "echo a word; echo 'FAILED group: name: why'; echo '3 passed, 1 failed'; exit 1";
    ({ lines, well } = await run([program(failing), fixtures('bad', 'broken', 'good')]));
    text = lines.join('\n');
  });

  it('shows each with its reason, once when it happens and once in the end', () => {
    expect(well).toBe(false);
    for (const failure of [
      'module: group: name: why',
      `end-to-end: ${HERE}/bad.fixture.ts: fails`,
      `end-to-end: ${HERE}/bad.fixture.ts: a suite: a hook`,
      `end-to-end: ${HERE}/broken.fixture.ts: the file itself`,
    ]) {
      expect(lines.filter((line) => line === `[TIME] FAILED ${failure}`)).toHaveLength(1);
      expect(lines.filter((line) => line === `FAILED ${failure}`)).toHaveLength(1);
    }
    expect(text).toMatch(/AssertionError: .*\n +at test\/unit\/runner\/fixtures\/bad\.fixture\.ts:\d/);
    expect(text).toMatch(/- {3}"answer": 42,\n +\+ {3}"answer": 41,/);
    expect(text).toContain('the hook is broken');
    expect(text).toContain('the file is broken');
  });

  it('shows what the failed file and its children wrote, and nothing of the others', () => {
    expect(text).toContain('figures of a bad file');
    expect(text).toContain('what a child wrote');
    expect(text).toContain('a word');
    expect(text).not.toContain('figures of a good file');
  });

  it('goes on after a failure, and counts everything', () => {
    expect(lines.at(-1)).toBe('4 passed, 4 failed, 2 skipped');
  });

  it('prints each reason for skipped tests once, with all of the tests', () => {
    expect(lines.filter((line) => line.includes('NOT RUN'))).toEqual([
      'NOT RUN: a third thing: for another reason',
      'NOT RUN: another thing; one thing: it is not here',
    ]);
  });
});

it('counts an error that belongs to no test as a failure', async () => {
  const { well, lines } = await run([fixtures('late')]);
  expect(well).toBe(false);
  expect(lines.join('\n')).toContain('nobody waits for this');
  expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
});

it('counts a vitest that was killed, and files that never ran, as a failure', async () => {
  const killed = await run([fixtures('dead')]);
  expect(killed.lines.join('\n')).toContain('FAILED end-to-end: it did not end');
  expect(killed.well).toBe(false);
  const { argv, ...suite } = fixtures('good') as Extract<Suite, { kind: 'alone' }>;
  const fewer = await run([{ ...suite, argv, files: [...suite.files, 'test/e2e/gone.test.ts'] }]);
  expect(fewer.lines.join('\n')).toContain('files that never began: 1');
  expect(fewer.well).toBe(false);
});

it.each([
  ['without its count', 'exit 0', '0 passed, 1 failed, 0 skipped'],
  [
    'with a status that its count does not explain',
    "echo '3 passed, 0 failed'; exit 3",
    '3 passed, 1 failed, 0 skipped',
  ],
])('takes a program that ends %s for failed', async (_how, script, sum) => {
  const { well, lines } = await run([program(script)]);
  expect(well).toBe(false);
  expect(lines.at(-1)).toBe(sum);
});
