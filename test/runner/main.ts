/*
 * build/run-tests.js [SIZE]   runs the tests of a size (default, all or full), and ends with one line that counts them
 * build/run-tests.js learn    takes the output of a run as its input, and writes to test/durations.json how long each part took
 *
 * The status is 0 if all passed, 1 if not, 64 for a size that there is not.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { argv, exit, stderr, stdout } from 'node:process';
import type { Durations } from './estimate.ts';
import { learnedFrom } from './learned.ts';
import { partsOf, planOf } from './plan.ts';
import { Run } from './run.ts';
import { SIZES } from './sizes.ts';

const DURATIONS = 'test/durations.json';
const durations = JSON.parse(readFileSync(DURATIONS, 'utf8')) as Durations;
const [, , word = 'default'] = argv;

if (word === 'learn') {
  const learned = learnedFrom(readFileSync(0, 'utf8'), durations, partsOf(planOf('full')));
  writeFileSync(DURATIONS, `${JSON.stringify(learned, undefined, 2)}\n`);
} else {
  const size = SIZES.find((name) => name === word);
  if (size === undefined) {
    stderr.write(`run-tests: the sizes are ${SIZES.join(', ')}\n`);
    exit(64);
  }
  const run = new Run(planOf(size), size, durations, (line) => stdout.write(`${line}\n`));
  exit((await run.all()) ? 0 : 1);
}
