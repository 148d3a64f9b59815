import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { BUILT } from './places.ts';
import { OURS, type Program } from './programs.ts';

const READY_MS = 30_000;
const POLL_MS = 2;
const KIB_PER_MIB = 1024;
const NS_PER_US = 1000;
/** proc_pid_clear_refs(5): this resets the peak use of memory. */
const RESET_PEAK = '5';

const running = new Set<ChildProcess>();

/** A running daemon. */
export interface Daemon {
  readonly socket: string;
  /** When Node was executed, nanoseconds since 1970. */
  readonly executed: () => bigint;
  /** Resets its peak use of memory. */
  readonly resetPeak: () => void;
  /** @returns its peak use of memory since then, in MiB */
  readonly peak: () => number;
  /** @returns the processor time of all its threads, in microseconds */
  readonly cpu: () => number;
  /** Waits until it serves. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** How a daemon is started. */
export interface Start {
  /** Left out: today's daemon. */
  readonly program?: Program;
  /** Its configuration; left out: that of the benchmark, without a throttle. */
  readonly config?: string;
  /** With the reader of users' files. */
  readonly withFiles?: boolean;
}

/**
 * Starts a daemon as systemd would: as its own user, behind sockets that root opened.
 *
 * @param data - where its runtime and state directories are
 * @param name - of the directories
 * @param start - the program and its settings
 * @returns the daemon; its sockets are there, but it may not serve yet
 * @throws Error when it does not start
 */
export async function startDaemon(data: string, name: string, start: Start = {}): Promise<Daemon> {
  const { program = OURS, config = `${data}/config.toml`, withFiles = false } = start;
  const runtime = `${data}/run-${name}`;
  const log = `${data}/log-${name}`;
  const activate = [program.activate, program.user, runtime, `${data}/state-${name}`, '--config', config];
  writeFileSync(log, '');
  const child = spawn(`${BUILT}/log-sink`, [log, ...activate, ...(withFiles ? ['--with-files'] : [])], {
    env: {
      ...process.env,
      // `node` is a script there that says when it executes Node.
      PATH: `${BUILT}/bin:${process.env['PATH'] ?? ''}`,
      BENCH_MAIN: program.main,
      BENCH_NODE_FLAGS: program.flags,
      BENCH_NODE_ENV: program.environment,
    },
    stdio: 'ignore',
  });
  running.add(child);
  const said = (what: RegExp): RegExpExecArray | null => what.exec(readFileSync(log, 'utf8'));
  const until = async (what: RegExp): Promise<void> => {
    const deadline = Date.now() + READY_MS;
    while (said(what) === null) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`the daemon did not start:\n${readFileSync(log, 'utf8')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  };
  await until(/^executed /m);
  return {
    socket: `${runtime}/pam.sock`,
    executed: () => BigInt(said(/^executed (\d+)/m)?.[1] ?? 0),
    resetPeak: () => writeFileSync(`/proc/${String(child.pid)}/clear_refs`, RESET_PEAK),
    peak: () => peak(child),
    cpu: () => cpu(child),
    ready: () => until(/Ready/),
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

/** Stops all daemons that still run, after an unexpected end. */
export async function stopAll(): Promise<void> {
  await Promise.all([...running].map(stop));
}

function peak({ pid }: ChildProcess): number {
  const file = `/proc/${String(pid)}/status`;
  const kib = existsSync(file) ? /^VmHWM:\s+(\d+)/m.exec(readFileSync(file, 'latin1'))?.[1] : undefined;
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
