#!/usr/bin/env node
import { existsSync, mkdirSync, readdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { uptime } from 'node:os';
import { parseArgs } from 'node:util';
import { ControlServer } from './control/control-server.ts';
import { sourcesInOrder } from './enrolments/sources-in-order.ts';
import { Store, storeSource } from './enrolments/store/store.ts';
import { activatedSockets } from './host/activation.ts';
import { hardenProcess, listenOn } from './host/addon.ts';
import { StateDirectory, StateDirectoryError } from './host/state-directory.ts';
import { LedgerDirectory } from './ledger/ledger-directory.ts';
import { LocalLedger } from './ledger/local-ledger.ts';
import { Marks } from './ledger/marks.ts';
import { VolatileMarks } from './ledger/volatile-marks.ts';
import { journalLog, type Log } from './log/log.ts';
import { BACKLOG } from './server/limits.ts';
import { LoginServer } from './server/login-server.ts';

/* pve-authenticatord: the composition root of the daemon. */

const DEFAULT_RUNTIME_DIR = '/run/pve-authenticator';
const DEFAULT_STATE_DIR = '/var/lib/pve-authenticator';
const STDERR = 2;
const EXIT_USAGE = 64;
const EXIT_FAILED = 1;
/** What a new file system may hold before we put anything there. */
const FRESH = new Set(['lost+found', 'ledger', 'enrolments']);

const SOCKETS = [
  { name: 'pam', mode: 0o600 },
  { name: 'user', mode: 0o666 },
  { name: 'control', mode: 0o666 },
] as const;
type SocketName = (typeof SOCKETS)[number]['name'];

interface Settings {
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** Never make a new store: the state directory may be a mount point whose file system is missing. */
  readonly requireState: boolean;
}

/** What is wrong at start, in words for the administrator. */
class StartError extends Error {
  readonly status: number;
  constructor(message: string, status: number = EXIT_FAILED) {
    super(message);
    this.name = 'StartError';
    this.status = status;
  }
}

function settingsOf(argv: readonly string[]): Settings {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        'runtime-dir': { type: 'string', default: DEFAULT_RUNTIME_DIR },
        'state-dir': { type: 'string', default: DEFAULT_STATE_DIR },
        'require-state': { type: 'boolean', default: false },
      },
    });
    return {
      runtimeDir: values['runtime-dir'],
      stateDir: values['state-dir'],
      requireState: values['require-state'],
    };
  } catch (error) {
    throw new StartError(error instanceof Error ? error.message : 'The options cannot be read', EXIT_USAGE);
  }
}

/** A new store is made only in a directory that is new: one that lost its marker may be an unmounted file system. */
async function openStore(
  state: StateDirectory,
  { requireState, stateDir }: Settings,
  log: Log,
): Promise<Store> {
  const store = new Store(state);
  if (store.initialised) {
    return store;
  }
  const fresh =
    readdirSync(state.path('.')).every((name) => FRESH.has(name) || name.endsWith('.new')) && store.empty;
  if (requireState || !fresh) {
    log.event(
      'alert',
      `The state directory ${stateDir} holds no store: is its file system mounted? Nobody with a factor gets in.`,
    );
    return store;
  }
  const directory = new LedgerDirectory(state.path('ledger'));
  await directory.create();
  if (directory.load().empty) {
    await (await directory.begin(new Marks(), 1)).close();
  }
  store.initialise();
  state.sync();
  log.event('notice', `A new store was made in ${stateDir}`);
  return store;
}

/** The sockets: those that systemd opened, or our own. */
async function openSockets({ runtimeDir }: Settings): Promise<Map<SocketName, number>> {
  const activated = activatedSockets(process.env, process.pid);
  const sockets = new Map<SocketName, number>();
  for (const { name, mode } of SOCKETS) {
    const path = `${runtimeDir}/${name}.sock`;
    const given = activated.get(name);
    if (given === undefined && activated.size > 0) {
      continue;
    }
    if (given === undefined) {
      mkdirSync(runtimeDir, { recursive: true, mode: 0o755 });
      await removeStale(path);
    }
    sockets.set(name, given ?? listenOn(path, mode, BACKLOG));
  }
  return sockets;
}

/** A socket that nobody listens on is left from a daemon that was killed. */
async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) {
    return;
  }
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => resolve(true)).on('error', () => resolve(false));
    probe.on('connect', () => probe.destroy());
  });
  if (alive) {
    throw new StartError(
      `Another daemon serves ${path}. Stop it first, or give this one another --runtime-dir.`,
    );
  }
  unlinkSync(path);
}

async function main(): Promise<void> {
  const log = journalLog(STDERR);
  const settings = settingsOf(process.argv.slice(2));
  hardenProcess();
  process.umask(0o077);
  if (!settings.requireState && !existsSync(settings.stateDir)) {
    mkdirSync(settings.stateDir, { recursive: true, mode: 0o700 });
  }
  const state = StateDirectory.open(settings.stateDir);
  const store = await openStore(state, settings, log);
  const server: { logins: LoginServer | undefined } = { logins: undefined };
  const ledger = await LocalLedger.open({
    directory: new LedgerDirectory(state.path('ledger')),
    reports: {
      trouble: (what) => log.event('alert', 'The ledger of used codes cannot be written', { what }),
      damaged: (what) =>
        log.event('alert', 'The ledger of used codes is damaged: run "pve-google-authenticator repair"', {
          what,
        }),
      recovered: () => log.event('notice', 'The ledger of used codes can be written again'),
    },
    volatile: new VolatileMarks(`${settings.runtimeDir}/volatile`),
    now: Date.now,
    uptime,
    crowded: () => (server.logins?.logins ?? 0) > 1,
  });
  const ports = {
    enrolments: sourcesInOrder([storeSource(store, ledger)]),
    store,
    ledger,
    log,
    now: Date.now,
  };
  const logins = new LoginServer(ports);
  server.logins = logins;
  const control = new ControlServer(ports);

  const sockets = await openSockets(settings);
  for (const [name, fd] of sockets) {
    if (name === 'control') {
      control.listen(fd);
    } else {
      logins.listen({ fd, kind: name === 'pam' ? 'root' : 'user' });
    }
  }
  log.event('info', 'Ready', { sockets: [...sockets.keys()].join(',') });

  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) {
      return;
    }
    stopping = true;
    log.event('info', 'Stopping: logins in flight are finished first', { logins: logins.logins });
    control.close();
    await logins.close();
    await ledger.close();
    state.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

main().catch((error: unknown) => {
  const known = error instanceof StartError || error instanceof StateDirectoryError;
  const message = error instanceof Error ? error.message : 'unknown error';
  journalLog(STDERR).event('error', known ? message : `The daemon cannot start: ${message}`);
  process.exit(error instanceof StartError ? error.status : EXIT_FAILED);
});
