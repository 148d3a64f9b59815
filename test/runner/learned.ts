import type { Durations } from './estimate.ts';
import { SIZES } from './sizes.ts';

/**
 * Reads from the output of a run how long each part took.
 *
 * @param log - the output of a run; lines before its start are ignored
 * @param known - earlier durations; those of parts that did not run are kept
 * @param there - the existing parts; others are dropped
 * @returns the durations with those of this run, in seconds
 * @throws Error if the log is not of a run
 */
export function learnedFrom(log: string, known: Durations, there: readonly string[]): Durations {
  const size = SIZES.find((name) => new RegExp(`^Size ${name};`, 'm').test(log));
  if (size === undefined) {
    throw new Error('this is not the output of a test run');
  }
  const seconds = new Map(Object.entries(known[size] ?? {}));
  for (const [, file, took] of log.matchAll(
    /, file \d+ of \d+: (\S+), .*\n(?:.*\n)*? {8}\d+ passed.* in ([\d.]+) s$/gm,
  )) {
    seconds.set(file!, Math.round(Number(took)));
  }
  for (const [, suite, minutes, rest] of log.matchAll(/\] (\S+): \d+ passed.* in (\d+):(\d\d)$/gm)) {
    seconds.set(suite!, Number(minutes) * 60 + Number(rest));
  }
  const kept = [...seconds].filter(([part]) => there.includes(part)).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...known, [size]: Object.fromEntries(kept) };
}
