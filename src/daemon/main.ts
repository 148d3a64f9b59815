#!/usr/bin/env node
import { existsSync, mkdirSync } from 'node:fs';
import { parseCommandLine, toldInstead, UsageError } from '../config/command-line.ts';
import { ConfigError } from '../config/config.ts';
import { loadConfig } from '../config/load-config.ts';
import { REHEARSAL } from '../contracts/control-requests.ts';
import { hardenProcess, type PasswdEntry } from '../host/addon.ts';
import { startAttachedReader } from '../host/attached-reader.ts';
import { machineClock } from '../host/clocks.ts';
import { groupsOfAccount } from '../host/groups-of-account.ts';
import { nameService, reportNameService } from '../host/name-service.ts';
import { networkClosed } from '../host/network-closed.ts';
import { preciseSleep } from '../host/precise-sleep.ts';
import { onSignalOnce } from '../host/signals.ts';
import { openSockets, SocketInUseError } from '../host/sockets.ts';
import { standardError } from '../host/standard-error.ts';
import { StateDirectory, StateDirectoryError } from '../host/state-directory.ts';
import { version } from '../host/version.ts';
import { tellLastWords } from '../log/last-words.ts';
import { journalLog, type Log } from '../log/log.ts';
import { nameServiceReports } from '../log/name-service-reports.ts';
import { validateOnline } from '../yubico-otp/index.ts';
import { attemptsOfConfig } from './attempts/attempts-of-config.ts';
import { ControlServer } from './control/control-server.ts';
import { foundAtStart } from './control/health-requests.ts';
import type { Account } from './enrolments/enrolment.ts';
import { enrolmentsOfConfig } from './enrolments/enrolments-of-config.ts';
import { forAccount } from './enrolments/for-account.ts';
import { openLedger } from './ledger/open-ledger.ts';
import { AcceptedLogins } from './login/accepted-logins.ts';
import { initState, openStore } from './open-store.ts';
import { LoginServer } from './server/login-server.ts';

/* pve-authenticatord: puts the parts of the daemon together. */

const EXIT_USAGE = 64;
const EXIT_FAILED = 1;

/** The time grid for files, in milliseconds: longer than it takes to read a file, compute the codes of half a day, and write. */
const FAR_REJECT_GRID_MS = 50;

/** Looks an account up for its own user's commands. */
const entryOf = (account: Account): Promise<PasswdEntry | undefined> =>
  nameService.userNamed(account.name, account);

/** A clock in milliseconds that never jumps. `performance` is loaded on first use, and a start does not wait for it. */
const monotonic = (): number => process.uptime() * 1_000;

async function main(log: Log): Promise<void> {
  const commandLine = parseCommandLine(process.argv.slice(2));
  hardenProcess();
  process.umask(0o077);
  const { runtimeDir, stateDir } = commandLine;
  if (!commandLine.requireState && !existsSync(stateDir)) {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  }
  if (commandLine.initState) {
    await initState(stateDir, log);
    return;
  }
  const state = StateDirectory.open(stateDir);
  const loaded = loadConfig(commandLine.configFile, state.path('config.last-good.toml'));
  const { config } = loaded;
  if (loaded.problem !== undefined) {
    log.event('alert', loaded.problem);
  }
  const store = await openStore(state, commandLine, log);
  const volatile = `${runtimeDir}/volatile`;
  const ledger = await openLedger({ lasting: state.path('ledger'), volatile }, monotonic, log);
  const sources = await enrolmentsOfConfig(config, { runtimeDir, state, store, ledger, log, monotonic });
  const { enrolments, proxmox, yubikeys } = sources;
  const ports = {
    enrolments,
    yubikeys: yubikeys.usual,
    yubico: { settings: yubikeys.settings, validate: validateOnline, networkClosed },
    rules: { rules: config.rules, groupsOf: groupsOfAccount },
    web: proxmox,
    proxmoxAsked: proxmox.source !== undefined,
    proxmox: proxmox.views,
    store,
    ledger,
    log,
    attempts: attemptsOfConfig(config, `${volatile}/attempts`, ledger, log),
    now: Date.now,
    monotonic,
    ...(sources.farAway ? { rejectGridMs: FAR_REJECT_GRID_MS } : {}),
    sleep: preciseSleep,
    accepted: new AcceptedLogins(machineClock, REHEARSAL),
    version: version(),
    atStart: foundAtStart(loaded, yubikeys.settings),
  };
  const logins = new LoginServer(ports);
  const control = new ControlServer({ ...ports, enrolments: forAccount(enrolments, entryOf) });

  const sockets = await openSockets(runtimeDir);
  if (commandLine.withFiles) {
    await startAttachedReader(runtimeDir);
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

/** Errors with a message for the administrator. Of other errors, only the name is logged. */
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
