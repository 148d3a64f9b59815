import type { Contender, Group } from './contenders.ts';
import { logIn, type Job, type TimedLogin } from './driver.ts';
import { median, quantile } from './statistics.ts';

const US_PER_S = 1_000_000;
const PEER = /^(google|oath)/;
const PEER_MAY_REFUSE = 0.001;

/** The result of one contender in one round. */
export interface Round {
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly perSecond: number;
  /** Processor time of its daemon per login, in microseconds; undefined: it has none. */
  readonly cpu?: number | undefined;
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
  group.before?.();
  if (group.processes > 1) {
    for (const contender of turns) {
      await contender.ready?.(group.logins);
      const used = cpuOf(contender);
      const run = await logIn(data, group.processes, jobsOf(contender, group.logins));
      add(results, contender, run.logins, { together: run.together, cpu: used() });
    }
    return;
  }
  for (const contender of turns) {
    await contender.ready?.(group.logins);
  }
  const used = new Map(turns.map((contender) => [contender, cpuOf(contender)]));
  const run = await logIn(data, 1, interleaved(turns, group));
  for (const contender of turns) {
    const logins = run.logins.filter(({ label }) => label === contender.label);
    add(results, contender, logins, { cpu: used.get(contender)?.() });
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
 * The figures of some logins.
 *
 * @param times - what each took, in microseconds
 * @param together - what all took; left out: they came one after the other
 * @returns the figures
 */
export function roundOf(times: readonly number[], together = sum(times)): Round {
  return {
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    perSecond: (times.length / together) * US_PER_S,
  };
}

/** @returns a function that later returns the processor time since now */
function cpuOf({ cpu }: Contender): () => number | undefined {
  const before = cpu?.();
  return () => (cpu === undefined || before === undefined ? undefined : cpu() - before);
}

function interleaved(turns: readonly Contender[], { logins, block }: Group): Job[] {
  return Array.from({ length: Math.ceil(logins / block) }, () =>
    turns.flatMap((contender) => jobsOf(contender, block)),
  ).flat();
}

function jobsOf({ label, service, next }: Contender, count: number): Job[] {
  return Array.from({ length: count }, () => ({ label, service, ...next() }));
}

function add(
  results: Results,
  contender: Contender,
  logins: readonly TimedLogin[],
  { together, cpu }: { readonly together?: number; readonly cpu: number | undefined },
): void {
  assertEnds(contender, logins);
  const round = roundOf(
    logins.map(({ took }) => took),
    together,
  );
  const perLogin = cpu === undefined ? undefined : cpu / logins.length;
  results.set(contender.label, [...(results.get(contender.label) ?? []), { ...round, cpu: perLogin }]);
}

/**
 * A peer sometimes refuses a right code in a crowd. A few such logins do not affect its measured speed. Our daemon must never do
 * that.
 */
function assertEnds({ label, service, rc }: Contender, logins: readonly TimedLogin[]): void {
  const odd = logins.filter((login) => login.rc !== rc);
  if (odd.length === 0) {
    return;
  }
  const what = `${label}: ${odd.length} of ${logins.length} logins ended with ${odd[0]!.rc}, not ${rc}`;
  if (!PEER.test(service) || odd.length > logins.length * PEER_MAY_REFUSE) {
    throw new Error(what);
  }
  process.stdout.write(`${what}\n`);
}

/**
 * The medians of all rounds.
 *
 * @param rounds - of one contender
 * @returns what it reached
 */
export function overall(rounds: readonly Round[]): Round {
  const cpu = rounds.flatMap((round) => round.cpu ?? []);
  return {
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpu: cpu.length === 0 ? undefined : median(cpu),
  };
}

/**
 * The ratio of two contenders: the median of the rounds' ratios, because a drift between rounds affects both.
 *
 * @param results - of all
 * @param ours - label of our contender
 * @param theirs - label of the peer
 * @param what - which figure
 * @returns ours / theirs, or undefined when one was not measured
 */
export function ratio(
  results: Results,
  ours: string,
  theirs: string,
  what: 'p50' | 'p99' | 'perSecond',
): number | undefined {
  const [one, other] = [results.get(ours), results.get(theirs)];
  if (one === undefined || other === undefined) {
    return undefined;
  }
  return median(one.map((round, index) => round[what] / other[index]![what]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
