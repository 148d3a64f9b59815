import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { startDaemon, type Daemon, type Start } from './daemon.ts';
import { enrolAtHome, enrolInStore, enrolInUsersFile, LIMITED_FILE } from './enrol.ts';
import { PEERS } from './places.ts';
import { BASE, DAEMON_UID, NOTHING, OURS, type Program } from './programs.ts';
import { ENROLLED, FEW, userOf, usersOf, type User } from './users.ts';

/* What is measured: directories, accounts, service files, daemons. */

/** Everything that logins are measured with. */
export interface World {
  /** Running daemons, by the service that asks them. */
  readonly daemons: ReadonlyMap<string, Daemon>;
  /** @returns whether there is such a service */
  readonly has: (service: string) => boolean;
  /**
   * Enrols users once more, with other recovery codes.
   *
   * @param service - where
   * @param users - who
   * @param first - number of the first recovery code
   */
  readonly enrol: (service: string, users: readonly User[], first: number) => void;
  /** Starts one of the daemons afresh, on the state of before. */
  readonly start: (service: string) => Promise<Daemon>;
  readonly stop: () => Promise<void>;
}

/** As it is installed, but for a source that nobody has in these measurements. */
export const CONFIG = '[sources]\nhome = false\n';
/** Without a throttle, like the peer without RATE_LIMIT. */
export const UNLIMITED = '[throttle]\nenabled = false\n';

/** The daemons by the name of their service. `few` has ten users, all others have all. */
const STARTS: Readonly<Record<string, (data: string) => Start | undefined>> = {
  nothing: () => ({ program: NOTHING }),
  base: () => (BASE === undefined ? undefined : { program: BASE }),
  ours: () => ({}),
  'ours-limited': (data) => ({ config: `${data}/limited.toml` }),
  'ours-few': () => ({}),
};

const everybody = (): User[] => Array.from({ length: ENROLLED }, (_, index) => userOf(index));

/**
 * Makes the directories of the benchmark, the peers' files and the service files.
 *
 * @param data - where: on the disk that is measured
 */
export function prepare(data: string): void {
  rmSync(data, { recursive: true, force: true });
  mkdirSync(`${data}/pam.d`, { recursive: true });
  writeFileSync(`${data}/config.toml`, CONFIG + UNLIMITED);
  writeFileSync(`${data}/limited.toml`, CONFIG);
  mkdirSync(`${data}/homes`);
  enrolAtHome(`${data}/homes`, everybody());
  enrolAtHome(`${data}/homes`, usersOf('totp'), { limited: true });
  mkdirSync(`${data}/oath`);
  enrolInUsersFile(`${data}/oath/many`, everybody());
  enrolInUsersFile(`${data}/oath/few`, usersOf('hotp', FEW));
  const google = `${PEERS}/pam_google_authenticator.so`;
  const oath = `${PEERS}/pam_oath.so window=10 digits=6`;
  service(data, 'permit', 'pam_permit.so');
  service(data, 'google', google);
  service(data, 'google-limited', `${google} secret=\${HOME}/${LIMITED_FILE}`);
  service(data, 'google-noskewadj', `${google} noskewadj`);
  service(data, 'oath', `${oath} usersfile=${data}/oath/many`);
  service(data, 'oath-few', `${oath} usersfile=${data}/oath/few`);
}

/**
 * Writes the service file of a daemon of ours.
 *
 * @param data - the directory of the benchmark
 * @param name - of the service
 * @param socket - of the daemon
 * @param program - whose module
 */
export function serviceOf(data: string, name: string, socket: string, program: Program = OURS): void {
  service(data, name, `${program.module} socket=${socket}`);
}

function service(data: string, name: string, module: string): void {
  writeFileSync(`${data}/pam.d/${name}`, `auth required ${module}\n`);
}

/**
 * Starts all daemons, and enrols the users with them.
 *
 * @param data - made by {@link prepare}
 * @param hasPeer - whether there is the peer's module that a service needs
 * @returns the world
 */
export async function startWorld(data: string, hasPeer: (service: string) => boolean): Promise<World> {
  const start = (name: string): Promise<Daemon> => startDaemon(data, name, STARTS[name]?.(data));
  const daemons = new Map<string, Daemon>();
  for (const [name, startOf] of Object.entries(STARTS)) {
    const how = startOf(data);
    if (how === undefined) {
      continue;
    }
    const daemon = await start(name);
    await daemon.ready();
    daemons.set(name, daemon);
    serviceOf(data, name, daemon.socket, how.program);
    if (how.program !== NOTHING) {
      enrolInStore(
        `${data}/state-${name}`,
        DAEMON_UID,
        name === 'ours-few' ? usersOf('hotp', FEW) : everybody(),
      );
    }
  }
  execFileSync('sync', ['-f', data]);
  return {
    daemons,
    has: (name) => existsSync(`${data}/pam.d/${name}`) && hasPeer(name),
    enrol: (name, users, first) =>
      name === 'google'
        ? enrolAtHome(`${data}/homes`, users, { first })
        : enrolInStore(`${data}/state-${name}`, DAEMON_UID, users, first),
    start,
    stop: async () => {
      for (const daemon of daemons.values()) {
        await daemon.stop();
      }
    },
  };
}
