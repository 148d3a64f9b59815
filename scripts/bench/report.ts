import { overall, ratio, type Results } from './measure.ts';

/** A number that was promised, and what came out. */
export interface Goal {
  readonly name: string;
  /** Undefined: it could not be measured. */
  readonly value: number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly met: boolean;
}

/** What is measured beside the logins. */
export interface Others {
  /** MiB. */
  readonly resident: number;
  /** Milliseconds, of each start. */
  readonly firstAnswers: readonly number[];
  readonly wrong: Results;
  /** Empty: it could not be measured. */
  readonly hanging: Results;
}

/** Whose logins are measured while somebody else's home hangs. */
export const HANGING = ['store', 'home'] as const;

/**
 * The goals of the project, and how they were met.
 *
 * @param results - of the logins
 * @param others - everything else
 * @param firstAnswer - milliseconds
 * @returns the goals
 */
export function goals(results: Results, others: Others, firstAnswer: number): Goal[] {
  return [
    atMost('TOTP, ours / google, median', 0.9, ratio(results, 'totp/ours', 'totp/google', 'p50')),
    atMost('HOTP, ours / google, median', 1, ratio(results, 'hotp/ours', 'hotp/google', 'p50')),
    atMost(
      'recovery code / scratch code, median',
      1,
      ratio(results, 'recovery/ours', 'recovery/google', 'p50'),
    ),
    atLeast(
      '32 processes, ours / google, logins a second',
      2,
      ratio(results, 'crowd/ours', 'crowd/google', 'perSecond'),
    ),
    atMost('32 processes, ours / google, p99', 0.25, ratio(results, 'crowd/ours', 'crowd/google', 'p99')),
    atMost('10,000 enrolled / 10 enrolled, median', 1.1, ratio(results, 'hotp/ours', 'hotp/ours-few', 'p50')),
    atMost('resident memory under load, MiB', 80, others.resident),
    atMost('first answer after the start, ms', 150, firstAnswer),
    ...HANGING.map((whose) =>
      atMost(
        `${whose} while a home hangs / without, p99`,
        1.3,
        ratio(others.hanging, `${whose}/hanging`, `${whose}/sound`, 'p99'),
      ),
    ),
    atMost('wrong logins by user, difference of medians, %', 5, differencePercent(others.wrong)),
  ];
}

/**
 * The goals about YubiKeys whose servers are dead, and how they were met.
 *
 * @param results - of TOTP logins meanwhile, and without YubiKeys
 * @returns the goals
 */
export function deadServerGoals(results: Results): Goal[] {
  return [
    atMost('TOTP, servers dead / no YubiKeys, median', 1.2, ratio(results, 'dead/keys', 'dead/plain', 'p50')),
  ];
}

function atMost(name: string, limit: number, value: number | undefined): Goal {
  return { name, value, atMost: limit, met: value !== undefined && value <= limit };
}

function atLeast(name: string, limit: number, value: number | undefined): Goal {
  return { name, value, atLeast: limit, met: value !== undefined && value >= limit };
}

function differencePercent(wrong: Results): number {
  const medians = [...wrong.values()].map((rounds) => overall(rounds).p50);
  return 100 * (Math.max(...medians) / Math.min(...medians) - 1);
}

/**
 * Everything that was measured, as a table.
 *
 * @param results - by label
 * @returns lines
 */
export function table(results: Results): string[] {
  const rows = [...results].map(([label, rounds]) => {
    const { p50, p99, perSecond } = overall(rounds);
    return [label, p50.toFixed(0), p99.toFixed(0), perSecond.toFixed(0)];
  });
  return [['', 'p50 us', 'p99 us', 'logins/s'], ...rows].map(([label = '', ...figures]) =>
    [label.padEnd(24), ...figures.map((figure) => figure.padStart(10))].join(''),
  );
}

/**
 * The goals, as lines.
 *
 * @param all - the goals
 * @returns lines
 */
export function verdicts(all: readonly Goal[]): string[] {
  return all.map(({ name, value, atMost: most, atLeast: least, met }) => {
    const wanted = most === undefined ? `>= ${String(least)}` : `<= ${most}`;
    const figure = value === undefined ? 'not measured' : value.toFixed(2);
    const verdict = value === undefined ? '' : met ? 'met' : 'MISSED';
    return `${name.padEnd(50)}${figure.padStart(8)}  ${wanted.padEnd(8)} ${verdict}`.trimEnd();
  });
}
