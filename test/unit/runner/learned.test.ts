import { expect, it } from 'vitest';
import { learnedFrom } from '../../runner/learned.ts';

const LOG = `Left out: much.
Size all; left out: full rounds. Rounds: reduced. It should take about 30 min.
[0:00] module, about 30 min yet
[1:05] module: 800 passed in 1:05
[1:05] end-to-end, file 1 of 2: test/e2e/a.test.ts, about 28 min yet
[2:05] test/e2e/a.test.ts: 1 passed, last "x"; about 27 min yet
        3 passed, 1 skipped in 61.4 s
[2:07] end-to-end, file 2 of 2: test/e2e/b.test.ts, about 20 min yet
[2:08] FAILED end-to-end: test/e2e/b.test.ts: y
        2 passed, 1 failed in 5.6 s
[2:13] end-to-end: 5 passed, 1 failed, 1 skipped in 1:08
`;

it('a run teaches how long its parts take, and leaves the other sizes alone', () => {
  const known = {
    all: { 'test/e2e/a.test.ts': 1, 'test/e2e/old.test.ts': 9, fuzz: 30 },
    full: { module: 7 },
  };
  const there = ['module', 'fuzz', 'test/e2e/a.test.ts', 'test/e2e/b.test.ts'];
  expect(learnedFrom(LOG, known, there)).toEqual({
    all: { module: 65, fuzz: 30, 'test/e2e/a.test.ts': 61, 'test/e2e/b.test.ts': 6 },
    full: { module: 7 },
  });
});

it('another text teaches nothing', () => {
  expect(() => learnedFrom('1 passed, 0 failed\n', {}, [])).toThrow('not the output of a test run');
});
