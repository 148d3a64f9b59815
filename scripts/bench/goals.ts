import { HANGING } from './hanging-home.ts';
import { overall, ratio, type Results } from './measure.ts';
import { median } from './statistics.ts';

/** A goal, with the measured number. */
export interface Goal {
  readonly name: string;
  /** Undefined: it could not be measured. */
  readonly value: number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** A stricter goal. */
  readonly reachFor?: number;
  readonly met: boolean;
}

/** Measurements besides the logins. */
export interface Others {
  /** The most memory of our daemon during a round, MiB; undefined: not measured. */
  readonly resident: number | undefined;
}

const US_PER_MS = 1000;

/**
 * The goals of the project, and how they were met.
 *
 * @param results - of all logins
 * @param others - everything else
 * @returns the goals
 */
export function goals(results: Results, others: Others): Goal[] {
  return [
    ...againstThePeer(results),
    ...besideTheFloor(results),
    ...processorTime(results),
    atMost('first login after 60 s of rest, ms', 2, 1.2, inMs(medianOf(results, 'rest/ours'))),
    atMost('first answer, ours / nothing', 1.25, 1.15, ratio(results, 'start/ours', 'start/nothing', 'p50')),
    atMost('resident memory under load, MiB', 80, 70, others.resident),
    ...steadiness(results),
  ];
}

function againstThePeer(results: Results): Goal[] {
  const medians = (what: string): number | undefined =>
    ratio(results, `${what}/ours`, `${what}/google`, 'p50');
  return [
    atMost('TOTP, ours / google, median', 0.8, 0.6, medians('totp')),
    atMost('HOTP, ours / google, median', 0.9, 0.7, medians('hotp')),
    atMost('recovery code / scratch code, median', 0.9, 0.7, medians('recovery')),
    atLeast(
      '32 processes, ours / google, logins a second',
      1.2,
      1.5,
      ratio(results, 'crowd/ours', 'crowd/google', 'perSecond'),
    ),
    atMost(
      '32 processes, ours / google, p99',
      0.75,
      0.6,
      ratio(results, 'crowd/ours', 'crowd/google', 'p99'),
    ),
  ];
}

function besideTheFloor(results: Results): Goal[] {
  return [
    atLeast(
      '32 processes, ours / nothing, logins a second',
      0.55,
      0.7,
      ratio(results, 'crowd/ours', 'crowd/nothing', 'perSecond'),
    ),
    atMost('TOTP, ours / nothing, median', 3, 2.5, ratio(results, 'totp/ours', 'totp/nothing', 'p50')),
    atMost(
      'TOTP with the throttle, ours / nothing, median',
      3.5,
      3,
      ratio(results, 'totp/ours-limited', 'totp/nothing', 'p50'),
    ),
  ];
}

function processorTime(results: Results): Goal[] {
  const cpu = (label: string): number | undefined => {
    const rounds = results.get(label);
    return rounds === undefined ? undefined : overall(rounds).cpu;
  };
  return [
    atMost('processor time per login, one process, us', 220, 150, cpu('totp/ours')),
    atMost('processor time per login, 32 processes, us', 100, 60, cpu('crowd/ours')),
    atMost('the same with the throttle, one process, us', 260, undefined, cpu('totp/ours-limited')),
    atMost('the same with the throttle, 32 processes, us', 120, undefined, cpu('crowd/ours-limited')),
  ];
}

function steadiness(results: Results): Goal[] {
  return [
    atMost(
      '10,000 / 10 enrolled, median',
      1.1,
      undefined,
      ratio(results, 'hotp/ours', 'hotp/ours-few', 'p50'),
    ),
    ...HANGING.map((whose) =>
      atMost(
        `${whose} while a home hangs / without, p99`,
        1.3,
        undefined,
        ratio(results, `${whose}/hanging`, `${whose}/sound`, 'p99'),
      ),
    ),
    atMost('wrong logins by user, difference of medians, %', 5, undefined, differencePercent(results)),
    atMost(
      'TOTP, servers dead / no YubiKeys, median',
      1.2,
      undefined,
      ratio(results, 'dead/keys', 'dead/plain', 'p50'),
    ),
  ];
}

/** Undefined: not measured. */
function medianOf(results: Results, label: string): number | undefined {
  const rounds = results.get(label);
  return rounds === undefined ? undefined : median(rounds.map(({ p50 }) => p50));
}

function inMs(us: number | undefined): number | undefined {
  return us === undefined ? undefined : us / US_PER_MS;
}

/** Labels of wrong logins that must not differ. */
export const WRONG_BY_USER = ['unknown', 'not-enrolled', 'enrolled', 'enrolled-hotp'].map(
  (who) => `wrong/${who}`,
);

function differencePercent(results: Results): number | undefined {
  const medians = WRONG_BY_USER.flatMap((label) => medianOf(results, label) ?? []);
  return medians.length < WRONG_BY_USER.length
    ? undefined
    : 100 * (Math.max(...medians) / Math.min(...medians) - 1);
}

function atMost(name: string, limit: number, reachFor: number | undefined, value: number | undefined): Goal {
  return { name, value, atMost: limit, ...wish(reachFor), met: value !== undefined && value <= limit };
}

function atLeast(name: string, limit: number, reachFor: number, value: number | undefined): Goal {
  return { name, value, atLeast: limit, ...wish(reachFor), met: value !== undefined && value >= limit };
}

function wish(reachFor: number | undefined): Pick<Goal, 'reachFor'> {
  return reachFor === undefined ? {} : { reachFor };
}
