import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { contenderOf, type Group } from './contenders.ts';
import { startDaemon } from './daemon.ts';
import { logIn } from './driver.ts';
import { enrolAtHome, enrolInStore } from './enrol.ts';
import { loginsOf, roundOf, type Results } from './measure.ts';
import { BUILT } from './places.ts';
import { DAEMON_UID } from './programs.ts';
import { counters, timeSteps } from './typed-codes.ts';
import { ENROLLED, userOf, usersOf, type User } from './users.ts';
import { serviceOf, UNLIMITED } from './world.ts';

/* Logins of others while somebody's home never answers. */

/** Turns with and without a hanging home alternate, because the load of the machine drifts. */
const TURNS = 20;
/** Of each kind in a turn: 1,000 in all, with and without. */
const LOGINS = 50;
/** The users whose logins are measured while somebody else's home hangs. */
export const HANGING = ['store', 'home'] as const;
const SERVICE = 'ours-homes';
const WARM_UP = 2;

/**
 * Measures logins of users in the store, and of users with a file at home, in turns with and without somebody else's home hanging; while it
 * hangs, its owner tries to log in again and again.
 *
 * @param data - where the service files and homes are
 * @returns one round of all logins each; none where there is no /dev/fuse
 */
export async function measureHanging(data: string): Promise<Results> {
  if (!existsSync('/dev/fuse')) {
    return new Map();
  }
  enrolAtHome(`${data}/homes`, usersOf('totp'));
  // Nobody else has this home.
  const owner = userOf(ENROLLED);
  enrolAtHome(`${data}/homes`, [owner]);
  writeFileSync(`${data}/homes.toml`, UNLIMITED);
  const daemon = await startDaemon(data, 'homes', { withFiles: true, config: `${data}/homes.toml` });
  await daemon.ready();
  serviceOf(data, SERVICE, daemon.socket);
  enrolInStore(`${data}/state-homes`, DAEMON_UID, usersOf('hotp'));
  const others = { store: counters(ENROLLED), home: timeSteps() };
  const took = new Map<string, number[]>();
  const turn = async (state: string, count: boolean): Promise<void> => {
    const contenders = HANGING.map((whose) => contenderOf(`${whose}/${state}`, SERVICE, others[whose]));
    const group: Group = { title: state, contenders, processes: 1, logins: LOGINS, block: LOGINS / 5 };
    for (const [label, times] of await loginsOf(data, group)) {
      took.set(label, [...(took.get(label) ?? []), ...(count ? times : [])]);
    }
  };
  for (let number = -WARM_UP; number < TURNS; number++) {
    const sound = (): Promise<void> => turn('sound', number >= 0);
    const hanging = (): Promise<void> => whileHanging(data, owner, () => turn('hanging', number >= 0));
    for (const next of number % 2 === 0 ? [sound, hanging] : [hanging, sound]) {
      await next();
    }
  }
  await daemon.stop();
  return new Map([...took].map(([label, times]) => [label, [roundOf(times)]]));
}

async function whileHanging(data: string, owner: User, work: () => Promise<void>): Promise<void> {
  const home = spawn(`${BUILT}/silent-fuse`, [`${data}/homes/${owner.name}`, String(owner.uid)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await new Promise((resolve, reject) => {
    home.stdout.once('data', resolve);
    home.once('error', reject);
  });
  const over = new AbortController();
  const owners = (async () => {
    while (!over.signal.aborted) {
      await logIn(data, 1, [{ label: 'owner', service: SERVICE, user: owner.name, code: '000000' }]);
    }
  })();
  await work();
  over.abort();
  const ended = new Promise((resolve) => home.once('close', resolve));
  // It unmounts, and whoever waits for it gets an error.
  home.stdin.end();
  await ended;
  await owners;
}
