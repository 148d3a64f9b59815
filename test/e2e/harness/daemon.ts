import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { App } from './code.ts';
import { Log } from './log.ts';
import { run, runWell, type Ended } from './run.ts';

/** The top of the checkout. */
export const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

const SOCKETS = ['pam.sock', 'user.sock', 'control.sock', 'files.sock'];
const START_MS = 60_000;

export interface DaemonOptions {
  readonly runtimeDir: string;
  readonly stateDir: string;
  /** The account it runs as, behind sockets that root opened. Without it: as we are, and it opens its own sockets. */
  readonly user?: string;
  /** Further arguments for it. */
  readonly arguments?: readonly string[];
}

/** A running daemon. */
export interface Daemon {
  readonly pid: number;
  readonly runtimeDir: string;
  readonly stateDir: string;
  readonly log: Log;
  /** Ends it (with SIGTERM, or another signal) and waits. Returns its exit status, null after a signal. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** A factor as the command reports it. */
export interface Enrolled extends App {
  readonly id: string;
  readonly uri: string;
}

/**
 * Starts dist/daemon/main.js with the reader of users' files, and waits until its sockets are there.
 *
 * @param options - where and as whom
 * @returns the daemon; the caller stops it
 * @throws Error with its log, when it does not start
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { runtimeDir, stateDir, user } = options;
  const more = ['--with-files', ...(options.arguments ?? [])];
  for (const socket of SOCKETS) {
    rmSync(`${runtimeDir}/${socket}`, { force: true });
  }
  const argv =
    user === undefined
      ? [
          'node',
          `${CHECKOUT}/dist/daemon/main.js`,
          '--runtime-dir',
          runtimeDir,
          '--state-dir',
          stateDir,
          ...more,
        ]
      : [`${CHECKOUT}/scripts/activate`, user, runtimeDir, stateDir, ...more];
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'inherit', 'pipe'] });
  const log = new Log('daemon', child.stderr);
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  child.on('error', (error) => log.lines.push(String(error)));

  const deadline = Date.now() + START_MS;
  while (!SOCKETS.every((socket) => existsSync(`${runtimeDir}/${socket}`))) {
    if (child.exitCode !== null || child.pid === undefined || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the daemon did not start:\n${log.lines.join('\n')}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return {
    pid: child.pid!,
    runtimeDir,
    stateDir,
    log,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/**
 * Runs the command against a daemon.
 *
 * @param daemon - whose control.sock it talks to
 * @param argv - subcommand and arguments
 * @returns how it ended
 */
export function command(daemon: Pick<Daemon, 'runtimeDir'>, ...argv: readonly string[]): Promise<Ended> {
  return run(commandLine(daemon, argv));
}

/**
 * Enrols a user for TOTP, as root.
 *
 * @param daemon - where
 * @param user - an account of this machine
 * @param argv - further arguments of `add totp`
 * @returns the factor, with the secret that the user's app gets
 */
export async function enrolTotp(
  daemon: Pick<Daemon, 'runtimeDir'>,
  user: string,
  ...argv: readonly string[]
): Promise<Enrolled> {
  return JSON.parse(
    await runWell(commandLine(daemon, ['add', 'totp', '--user', user, '--json', ...argv])),
  ) as Enrolled;
}

function commandLine({ runtimeDir }: Pick<Daemon, 'runtimeDir'>, argv: readonly string[]): string[] {
  return ['node', `${CHECKOUT}/dist/command/main.js`, '--runtime-dir', runtimeDir, ...argv];
}
