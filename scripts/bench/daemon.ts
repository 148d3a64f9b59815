import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { BUILT, CHECKOUT } from './places.ts';

/** The account that scripts/bench/inside adds to its private passwd file. */
export const DAEMON_USER = 'pve-authenticator';
export const DAEMON_UID = 64_999;

const READY_MS = 10_000;
const POLL_MS = 2;
const KIB_PER_MIB = 1024;
const NS_PER_US = 1000;

const running = new Set<ChildProcess>();

/** A running daemon. */
export interface Daemon {
  readonly socket: string;
  /** When Node was executed, nanoseconds since 1970. */
  readonly executed: () => bigint;
  /** @returns its resident memory in MiB */
  readonly resident: () => number;
  /** @returns what all its threads have had of the processors, in microseconds */
  readonly cpu: () => number;
  /** Waits until it serves. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Starts the daemon as systemd would: as its own user, behind sockets that root opened.
 *
 * @param data - where its runtime and state directories are
 * @param name - of the directories
 * @param more - further arguments for the daemon
 * @returns the daemon; its sockets are there, but it may not serve yet
 * @throws Error when it does not start
 */
export async function startDaemon(data: string, name: string, ...more: readonly string[]): Promise<Daemon> {
  const runtime = `${data}/run-${name}`;
  const child = spawn(
    `${CHECKOUT}/scripts/activate`,
    [DAEMON_USER, runtime, `${data}/state-${name}`, '--config', `${data}/config.toml`, ...more],
    {
      // `node` is a script there that says when it executes Node, with the flags of the unit.
      env: { ...process.env, PATH: `${BUILT}/bin:${process.env['PATH'] ?? ''}` },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  running.add(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log = log.length < 10_000 ? log + text : log;
  });
  const until = async (what: RegExp): Promise<void> => {
    const deadline = Date.now() + READY_MS;
    while (!what.test(log)) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the daemon did not start:\n${log}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  await until(/^executed /m);
  return {
    socket: `${runtime}/pam.sock`,
    executed: () => BigInt(/^executed (\d+)/m.exec(log)?.[1] ?? 0),
    resident: () => resident(child),
    cpu: () => cpu(child),
    ready: () => until(/Ready .*control/),
    stop: () => stop(child),
  };
}

function cpu({ pid }: ChildProcess): number {
  const tasks = `/proc/${String(pid)}/task`;
  const times = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'latin1').split(' ')[0]),
  );
  return times.reduce((sum, time) => sum + time, 0) / NS_PER_US;
}

/** Stops all daemons that still run: for an end that was not planned. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
}

function resident({ pid }: ChildProcess): number {
  const file = `/proc/${String(pid)}/status`;
  const kib = existsSync(file) ? /^VmRSS:\s+(\d+)/m.exec(readFileSync(file, 'latin1'))?.[1] : undefined;
  return Number(kib ?? 0) / KIB_PER_MIB;
}

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGTERM');
    await ended;
  }
}
