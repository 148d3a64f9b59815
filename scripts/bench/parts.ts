import { groups, wrongLogins, type Group } from './contenders.ts';
import { measureDeadServers, TOUCH_DEADLINE_MS } from './dead-servers.ts';
import { afterRest, firstAnswers } from './first-logins.ts';
import { measureHanging } from './hanging-home.ts';
import { measure, type Results } from './measure.ts';
import { median } from './statistics.ts';
import type { World } from './world.ts';

/* The parts of the benchmark, one after the other. */

/** The size of the measurement; BENCH_ONLY measures only some labels, quickly. */
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);
const RESTS = Number(process.env['BENCH_RESTS'] ?? 5);
const STARTS = Number(process.env['BENCH_STARTS'] ?? 7);
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
const WARM_UP = 15;
const WRONG_LOGINS = 500;

/** The results. */
export interface Measured {
  readonly results: Results;
  /** The most memory that each daemon had during a round, MiB, by its service. */
  readonly resident: Readonly<Record<string, number>>;
  /** What each touch of a YubiKey took, milliseconds. */
  readonly touches: readonly number[];
}

/**
 * Measures all parts.
 *
 * @param data - the directory of the benchmark
 * @param world - stopped afterwards
 * @returns everything that was measured
 */
export async function measureAll(data: string, world: World): Promise<Measured> {
  const results: Results = new Map();
  const all = groups(world);
  const chosen = all.map(onlyChosen).filter(({ contenders }) => contenders.length > 0);
  await warmUp(data, all);
  world.daemons.forEach((daemon) => daemon.resetPeak());
  // Recovery codes in a crowd come last, because they use so many codes that the ledger becomes larger than that of 10,000 users.
  const [ordinary, heavy] = [chosen.filter((group) => !isHeavy(group)), chosen.filter(isHeavy)];
  await inRounds(data, ordinary, results);
  const resident = Object.fromEntries([...world.daemons].map(([name, daemon]) => [name, daemon.peak()]));
  await inRounds(data, heavy, results);
  if (wanted('wrong')) {
    await measure(data, wrongLogins(WRONG_LOGINS), 0, results);
  }
  await addIf(wanted('rest'), results, () => afterRest(data, world, RESTS));
  await world.stop();
  await addIf(wanted('start'), results, () => firstAnswers(data, world, STARTS));
  await addIf(wanted('home') || wanted('store'), results, () => measureHanging(data));
  let touches: readonly number[] = [];
  await addIf(wanted('dead'), results, async () => {
    const dead = await measureDeadServers(data);
    ({ touches } = dead);
    return dead.results;
  });
  return { results, resident, touches };
}

/**
 * What touches of YubiKeys took while all servers were dead.
 *
 * @param touches - milliseconds
 * @returns a line, or none
 */
export function touchesLine(touches: readonly number[]): string[] {
  return touches.length === 0
    ? []
    : [
        `${touches.length} touches with all servers dead, answered after ${median(touches).toFixed(0)} ms (median) to ` +
          `${Math.max(...touches).toFixed(0)} ms (deadline ${TOUCH_DEADLINE_MS} ms)`,
      ];
}

function isHeavy({ title }: Group): boolean {
  return title.startsWith('recovery code, 32');
}

/** If BENCH_ONLY names a contender, those that it is compared with are measured, too. */
function onlyChosen(group: Group): Group {
  return group.contenders.some(({ label }) => ONLY.test(label)) ? group : { ...group, contenders: [] };
}

function wanted(part: string): boolean {
  return ONLY.test(`${part}/`);
}

async function warmUp(data: string, all: readonly Group[]): Promise<void> {
  const [totp, hotp] = all;
  for (let round = 0; round < WARM_UP; round++) {
    for (const group of [totp!, hotp!]) {
      await measure(data, group, round, new Map());
    }
  }
}

async function inRounds(data: string, chosen: readonly Group[], results: Results): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    for (const group of chosen) {
      await measure(data, group, round, results);
    }
  }
}

async function addIf(when: boolean, results: Results, part: () => Promise<Results>): Promise<void> {
  if (when) {
    for (const [label, rounds] of await part()) {
      results.set(label, rounds);
    }
  }
}
