#!/usr/bin/env node
import { existsSync, mkdirSync } from 'node:fs';
import { uptime } from 'node:os';
import { CountedAttempts, UNLIMITED, type Attempts, type Locks } from './attempts/attempts.ts';
import { openAttempts } from './attempts/attempts-file.ts';
import { knownOriginsIn } from './attempts/known-origins.ts';
import { DEFAULT_LIMITS } from './attempts/limits.ts';
import { parseCommandLine, toldInstead, UsageError, type CommandLine } from '../config/command-line.ts';
import { ConfigError, type Config } from '../config/config.ts';
import { lineSettings, yubicoSettings, type YubicoSettings } from '../config/yubico-settings.ts';
import { loadConfig } from '../config/load-config.ts';
import { ControlServer } from './control/control-server.ts';
import { foundAtStart } from './control/health-requests.ts';
import { REHEARSAL } from '../contracts/control-requests.ts';
import { allEnrolments } from './enrolments/all-enrolments.ts';
import type { Account, EnrolmentSource, Enrolments } from './enrolments/enrolment.ts';
import { FilesClient } from './enrolments/home/file-access.ts';
import { forAccount } from './enrolments/for-account.ts';
import { homeSource } from './enrolments/home/home-source.ts';
import { OneAtATime } from './enrolments/one-at-a-time.ts';
import { UnwrittenAttempts } from './enrolments/home/rate-limit.ts';
import { Places } from './enrolments/home/places.ts';
import { lastGoodIn } from './enrolments/proxmox/last-good.ts';
import { Proxmox } from './enrolments/proxmox/proxmox.ts';
import { ProxmoxFilesClient } from './enrolments/proxmox/proxmox-files.ts';
import { RealmYubikeys } from './enrolments/proxmox/realm-yubikeys.ts';
import { sourcesInOrder } from './enrolments/sources-in-order.ts';
import type { Store } from './enrolments/store/store.ts';
import { storeSource } from './enrolments/store/store-source.ts';
import { lineSource } from './enrolments/yubico/line-source.ts';
import { lineYubikeys } from './enrolments/yubico/line-yubikeys.ts';
import type { YubicoLine } from '../config/yubico-line.ts';
import {
  newBounds,
  type Bounds,
  noOnlineYubikeys,
  onlineYubikeys,
  type OnlineYubikeys,
} from './enrolments/yubico/online-yubikeys.ts';
import { hardenProcess, type PasswdEntry } from '../host/addon.ts';
import { machineClock } from '../host/clocks.ts';
import { startAttachedReader } from '../host/attached-reader.ts';
import { groupsOfAccount } from '../host/groups-of-account.ts';
import { hasProxmoxVe } from '../host/proxmox-here.ts';
import { preciseSleep } from '../host/precise-sleep.ts';
import { nameService, reportNameService } from '../host/name-service.ts';
import { networkClosed } from '../host/network-closed.ts';
import { onSignalOnce } from '../host/signals.ts';
import { openSockets, SocketInUseError } from '../host/sockets.ts';
import { StateDirectory, StateDirectoryError } from '../host/state-directory.ts';
import { version } from '../host/version.ts';
import { LedgerDirectory } from './ledger/ledger-directory.ts';
import { LocalLedger } from './ledger/local-ledger.ts';
import { VolatileMarks } from './ledger/volatile-marks.ts';
import { tellLastWords } from '../log/last-words.ts';
import { journalLog, type Log } from '../log/log.ts';
import { nameServiceReports } from '../log/name-service-reports.ts';
import { standardError } from '../host/standard-error.ts';
import { BudgetedLog } from '../log/budgeted-log.ts';
import { lineTroubles } from '../log/line-troubles.ts';
import { lookUpReports } from '../log/look-up-reports.ts';
import { NETWORK_CLOSED } from '../log/server-hints.ts';
import { AcceptedLogins } from './login/accepted-logins.ts';
import { proxmoxReports } from '../log/proxmox-reports.ts';
import { LoginServer } from './server/login-server.ts';
import { initState, openStore } from './open-store.ts';
import { validateOnline } from '../yubico-otp/index.ts';

/* pve-authenticatord: the composition root of the daemon. */

const EXIT_USAGE = 64;
const EXIT_FAILED = 1;

/** Who owns nothing, on every Linux: the kernel's overflow uid. */
const NOBODY_UID = 65_534;
/** Longer than it takes to read a file, to compute all codes of half a day, and to write: milliseconds. */
const HOME_REJECT_GRID_MS = 50;

/** Looks an account up for its own user's commands. */
const entryOf = (account: Account): Promise<PasswdEntry | undefined> =>
  nameService.userNamed(account.name, account);

/** A clock in milliseconds that never jumps. */
const monotonic = (): number => performance.now();

/** The ledger, whose troubles go into the log. */
function openLedger(state: StateDirectory, { runtimeDir }: CommandLine, log: Log): Promise<LocalLedger> {
  return LocalLedger.open({
    directory: new LedgerDirectory(state.path('ledger')),
    volatile: new VolatileMarks(`${runtimeDir}/volatile`),
    reports: {
      trouble: (why) => log.event('alert', 'The ledger of used codes cannot be written', { why }),
      recovered: () => log.event('notice', 'The ledger of used codes can be written again'),
      noRoom: (uid, full) => {
        const whose = uid === undefined ? {} : { uid };
        if (full) {
          log.event('alert', 'The ledger of used codes is full', whose);
        } else {
          log.event('alert', 'An account has used up its room in the ledger of used codes', whose);
        }
      },
      damaged: (what) =>
        log.event('alert', 'The ledger of used codes is damaged: run "pve-google-authenticator repair"', {
          what,
        }),
    },
    now: Date.now,
    uptime,
    monotonic,
  });
}

function proxmoxFor(
  config: Config,
  { runtimeDir }: CommandLine,
  state: StateDirectory,
  ledger: LocalLedger,
  log: Log,
  bounds: Bounds,
): Proxmox {
  const realmYubikeys = new RealmYubikeys(lookUpReports(log), bounds);
  return new Proxmox({
    files: new ProxmoxFilesClient(runtimeDir),
    copies: (product) => lastGoodIn(state.path(`${product}.last-good.json`)),
    reports: proxmoxReports(log),
    ...{ ...config.proxmox, on: config.sources.proxmox ?? hasProxmoxVe() },
    ...{ ledger, now: Date.now, yubikeysOf: (realm) => realmYubikeys.of(realm) },
  });
}

async function enrolmentsFor(
  config: Config,
  { runtimeDir }: CommandLine,
  store: Store,
  ledger: LocalLedger,
  yubikeys: Yubikeys,
  log: Log,
  proxmox: EnrolmentSource | undefined,
): Promise<Enrolments> {
  const nobody = config.sources.home
    ? await nameService.userNumbered(NOBODY_UID).catch(() => undefined)
    : undefined;
  const userLogs = new BudgetedLog(log, monotonic);
  const files = new FilesClient(runtimeDir);
  const places = new Places(ledger, Date.now);
  const home = homeSource({
    oneAtATime: new OneAtATime(),
    unwritten: new UnwrittenAttempts(),
    ...{ files, places, ledger, throttle: config.throttle.home, now: Date.now, nobody },
  });
  const own = storeSource(store, ledger, monotonic, yubikeys.usual);
  return allEnrolments({
    own: sourcesInOrder(proxmox === undefined ? [own] : [own, proxmox]),
    yubico: lineSource({
      ...{ files, places, nobody, store: own, yubikeysOf: yubikeys.ofLine },
      trouble: lineTroubles(userLogs),
    }),
    home: config.sources.home ? home : undefined,
    notebook: ledger,
    now: Date.now,
    findUser: (user) =>
      /^[0-9]{1,10}$/.test(user) ? nameService.userNumbered(Number(user)) : nameService.userNamed(user),
  });
}

function attemptsFor(
  config: Config,
  { runtimeDir }: CommandLine,
  ledger: LocalLedger,
  log: Log,
): Attempts & Locks {
  if (!config.throttle.enabled) {
    return UNLIMITED;
  }
  const file = `${runtimeDir}/volatile/attempts`;
  const table = openAttempts(file, machineClock, DEFAULT_LIMITS.longestLock, {
    lost: (why) => log.event('warning', 'Counts of attempts end with this process', { why }),
  });
  return new CountedAttempts(DEFAULT_LIMITS, knownOriginsIn(ledger, Date.now), machineClock, table);
}

/** Who looks up YubiKeys whose secrets are not in the store. */
interface Yubikeys {
  readonly settings: YubicoSettings;
  readonly usual: OnlineYubikeys;
  readonly ofLine: (line: YubicoLine) => OnlineYubikeys;
}

/** They are looked up only when config.toml or a line in pam.d says where. */
function yubikeysFor({ yubico }: Config, log: Log, bounds: Bounds): Yubikeys {
  const made = (settings: YubicoSettings): OnlineYubikeys => {
    switch (settings.kind) {
      case 'off':
        return noOnlineYubikeys('no validation server is configured');
      case 'unusable':
        log.event('alert', 'YubiKeys cannot be looked up', { why: settings.why });
        return noOnlineYubikeys(`the validation servers cannot be asked: ${settings.why}`);
      case 'on':
        return onlineYubikeys(settings.settings, lookUpReports(log), bounds);
    }
  };
  const settings = yubicoSettings(yubico);
  const usual = made(settings);
  const ofLine = lineYubikeys(usual, (line) => {
    const own = lineSettings(yubico, line);
    // A line brings id and key along, but not the network; where config.toml wants it, the start has looked.
    if (own.kind === 'on' && settings.kind !== 'on') {
      void tellClosedNetwork(log);
    }
    return made(own);
  });
  return { settings, usual, ofLine };
}

/** A sandbox without the network is a mistake then, that should show before the first login. */
async function tellClosedNetwork(log: Log): Promise<void> {
  const code = await networkClosed();
  if (code !== undefined) {
    log.event('alert', 'YubiKeys cannot be looked up', { why: `${NETWORK_CLOSED} (${code})` });
  }
}

async function main(log: Log): Promise<void> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  hardenProcess();
  process.umask(0o077);
  if (!commandLine.requireState && !existsSync(commandLine.stateDir)) {
    mkdirSync(commandLine.stateDir, { recursive: true, mode: 0o700 });
  }
  if (commandLine.initState) {
    await initState(commandLine.stateDir, log);
    return;
  }
  const state = StateDirectory.open(commandLine.stateDir);
  const loaded = loadConfig(commandLine.configFile, state.path('config.last-good.toml'));
  const { config } = loaded;
  if (loaded.problem !== undefined) {
    log.event('alert', loaded.problem);
  }
  const store = await openStore(state, commandLine, log);
  const ledger = await openLedger(state, commandLine, log);
  const bounds = newBounds(monotonic);
  const yubikeys = yubikeysFor(config, log, bounds);
  if (yubikeys.settings.kind === 'on') {
    void tellClosedNetwork(log);
  }
  const proxmox = proxmoxFor(config, commandLine, state, ledger, log, bounds);
  const enrolments = await enrolmentsFor(config, commandLine, store, ledger, yubikeys, log, proxmox.source);
  const ports = {
    enrolments,
    yubikeys: yubikeys.usual,
    yubico: { settings: yubikeys.settings, validate: validateOnline, networkClosed },
    rules: { rules: config.rules, groupsOf: groupsOfAccount },
    ...{ web: proxmox, proxmoxAsked: proxmox.source !== undefined, proxmox: proxmox.views },
    store,
    ledger,
    log,
    attempts: attemptsFor(config, commandLine, ledger, log),
    now: Date.now,
    monotonic,
    ...(config.sources.home || proxmox.source ? { rejectGridMs: HOME_REJECT_GRID_MS } : {}),
    sleep: preciseSleep,
    accepted: new AcceptedLogins(machineClock, REHEARSAL),
    version: version(),
    atStart: foundAtStart(loaded, yubikeys.settings),
  };
  const logins = new LoginServer(ports);
  const control = new ControlServer({ ...ports, enrolments: forAccount(enrolments, entryOf) });

  const sockets = await openSockets(commandLine.runtimeDir);
  if (commandLine.withFiles) {
    await startAttachedReader(commandLine.runtimeDir);
  }
  for (const [name, fd] of sockets) {
    if (name === 'control') {
      control.listen(fd);
    } else {
      logins.listen({ fd, kind: name === 'pam' ? 'root' : 'user' });
    }
  }
  onSignalOnce(['SIGTERM', 'SIGINT'], async () => {
    log.event('info', 'Stopping: logins in flight are finished first', { logins: logins.logins });
    control.close();
    await logins.close();
    await ledger.close();
    state.close();
    process.exit(0);
  });
  log.event('info', 'Ready', { sockets: [...sockets.keys()].join(',') });
}

/** Errors whose message is meant for the administrator; of others only the name is told. */
const TOLD = [UsageError, ConfigError, StateDirectoryError, SocketInUseError];

const told = toldInstead(process.argv.slice(2), version());
if (told !== undefined) {
  process.stdout.write(`${told}\n`);
  process.exit(0);
}
const log = journalLog(standardError());
tellLastWords(log);
reportNameService(nameServiceReports(log, monotonic));
main(log).catch((error: unknown) => {
  const meant = TOLD.some((known) => error instanceof known);
  const message = error instanceof Error ? error.message : 'unknown error';
  log.event('error', meant ? message : `The daemon cannot start: ${message}`);
  process.exit(error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED);
});
