import type { Contender, Group } from './contenders.ts';
import { logIn, type Job, type Login, type Run } from './driver.ts';
import { median, quantile } from './statistics.ts';

const US_PER_S = 1_000_000;

/** What one contender reached in one round. */
export interface Round {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
}

/** Rounds by label. */
export type Results = Map<string, Round[]>;

/**
 * Measures one round of a group.
 *
 * @param data - where the service files are
 * @param group - what
 * @param round - the number of the round: it decides who begins
 * @param results - here the round is added
 * @returns when all contenders have had their logins
 * @throws Error when a login ends otherwise than it should
 */
export async function measure(data: string, group: Group, round: number, results: Results): Promise<void> {
  const turns = group.contenders.map(
    (_, place) => group.contenders[(place + round) % group.contenders.length]!,
  );
  if (group.processes > 1) {
    for (const contender of turns) {
      add(results, contender, await logIn(data, group.processes, jobsOf(contender, group.logins)));
    }
    return;
  }
  const run = await logIn(data, 1, interleaved(turns, group));
  for (const contender of turns) {
    const logins = run.logins.filter(({ label }) => label === contender.label);
    add(results, contender, { logins, together: logins.reduce((sum, { took }) => sum + took, 0) });
  }
}

/**
 * One turn of a group in one process.
 *
 * @param data - where the service files are
 * @param group - what
 * @returns what each login took, in microseconds, by label
 * @throws Error when a login ends otherwise than it should
 */
export async function loginsOf(data: string, group: Group): Promise<Map<string, number[]>> {
  const run = await logIn(data, 1, interleaved(group.contenders, group));
  return new Map(
    group.contenders.map((contender) => {
      const logins = run.logins.filter(({ label }) => label === contender.label);
      assertEnds(contender, logins);
      return [contender.label, logins.map(({ took }) => took)];
    }),
  );
}

/**
 * What logins of one process come to.
 *
 * @param times - what each took, in microseconds
 * @returns the figures
 */
export function roundOf(times: readonly number[]): Round {
  const together = times.reduce((sum, took) => sum + took, 0);
  return figures(times, together);
}

function figures(times: readonly number[], together: number): Round {
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    perSecond: (times.length / together) * US_PER_S,
  };
}

function interleaved(turns: readonly Contender[], { logins, block }: Group): Job[] {
  return Array.from({ length: Math.ceil(logins / block) }, () =>
    turns.flatMap((contender) => jobsOf(contender, block)),
  ).flat();
}

function jobsOf({ label, service, next }: Contender, count: number): Job[] {
  return Array.from({ length: count }, () => ({ label, service, ...next() }));
}

function add(results: Results, contender: Contender, { logins, together }: Run): void {
  assertEnds(contender, logins);
  const rounds = results.get(contender.label) ?? [];
  rounds.push(
    figures(
      logins.map(({ took }) => took),
      together,
    ),
  );
  results.set(contender.label, rounds);
}

function assertEnds({ label, rc }: Contender, logins: readonly Login[]): void {
  const odd = logins.filter((login) => login.rc !== rc);
  if (odd.length > 0) {
    throw new Error(`${label}: ${odd.length} of ${logins.length} logins ended with ${odd[0]!.rc}, not ${rc}`);
  }
}

/**
 * The medians of all rounds.
 *
 * @param rounds - of one contender
 * @returns what it reached
 */
export function overall(rounds: readonly Round[]): Round {
  return {
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
  };
}

/**
 * How two contenders compare: the median of the ratios of the rounds, because what drifts between rounds hits both.
 *
 * @param results - of all
 * @param ours - label of the one
 * @param theirs - label of the other
 * @param what - which figure
 * @returns ours / theirs, or undefined when one was not measured
 */
export function ratio(results: Results, ours: string, theirs: string, what: keyof Round): number | undefined {
  const [one, other] = [results.get(ours), results.get(theirs)];
  if (one === undefined || other === undefined) {
    return undefined;
  }
  return median(one.map((round, index) => round[what] / other[index]![what]));
}
