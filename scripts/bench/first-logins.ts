import { setTimeout as sleep } from 'node:timers/promises';
import { logIn, type TimedLogin } from './driver.ts';
import { roundOf, type Results } from './measure.ts';
import { code, stepNow, usersOf } from './users.ts';
import type { World } from './world.ts';

/* First logins: of a daemon that was just started, and after a minute in which nobody logged in. */

const NS_PER_US = 1000;
const REST_MS = 60_000;
const WARM_UP = 3;
/** Services whose daemon is started, or rests. */
const STARTED = ['nothing', 'base', 'ours'];
const RESTING = ['permit', 'nothing', 'base', 'ours', 'ours-limited', 'google'];

/** They have TOTP beside the recovery codes that others are measured with: nobody else uses it. */
const owners = usersOf('totp-and-recovery');
let taken = 0;

/**
 * From the execution of Node to the verdict of a login that waits in the socket, with the state of all users.
 *
 * @param data - the directory of the benchmark
 * @param world - whose daemons have been stopped
 * @param starts - of each
 * @returns microseconds, one round for each start
 */
export async function firstAnswers(data: string, world: World, starts: number): Promise<Results> {
  const results: Results = new Map();
  const services = STARTED.filter(world.has);
  for (let start = 0; start < starts; start++) {
    for (const service of turned(services, start)) {
      const daemon = await world.start(service);
      const login = await logInOnce(data, service);
      const took = Number(login.begun - daemon.executed()) / NS_PER_US + login.took;
      add(results, `start/${service}`, took);
      await daemon.stop();
    }
  }
  return results;
}

/**
 * One login of each after a minute without any.
 *
 * @param data - the directory of the benchmark
 * @param world - whose daemons run
 * @param rests - how many minutes
 * @returns microseconds, one round for each minute
 */
export async function afterRest(data: string, world: World, rests: number): Promise<Results> {
  const results: Results = new Map();
  const services = RESTING.filter(world.has);
  for (let rest = 0; rest < rests; rest++) {
    await sleep(REST_MS);
    for (const service of turned(services, rest)) {
      add(results, `rest/${service}`, (await logInOnce(data, service)).took);
    }
  }
  return results;
}

function turned(services: readonly string[], by: number): string[] {
  return services.map((_, place) => services[(place + by) % services.length]!);
}

async function logInOnce(data: string, service: string): Promise<TimedLogin> {
  const user = owners[taken++]!;
  const typed = { user: user.name, code: code(user, stepNow()) };
  // The process that logs in is new, too: it loads its libraries before what is measured.
  const warmUp = Array.from({ length: WARM_UP }, () => ({ label: 'warm-up', service: 'permit', ...typed }));
  const { logins } = await logIn(data, 1, [...warmUp, { label: service, service, ...typed }]);
  const login = logins.at(-1);
  if (login?.rc !== 0) {
    throw new Error(`the first login of ${service} ended with ${String(login?.rc)}`);
  }
  return login;
}

function add(results: Results, label: string, took: number): void {
  results.set(label, [...(results.get(label) ?? []), roundOf([took])]);
}
