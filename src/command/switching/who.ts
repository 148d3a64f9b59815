import { readFileSync, readlinkSync } from 'node:fs';

/** An ancestor of this process. */
interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly uid: number;
  /** Start time in clock ticks since boot. Together with the pid it identifies a process for good. */
  readonly started: string;
}

/** No login set it (proc_pid_loginuid(5)): (uid_t)-1. */
const UNSET = 4_294_967_295;
const LONGEST_CHAIN = 64;
/** What the kernel calls OpenSSH's processes: since 9.8 a session has a program of its own. */
const SSH_SERVERS = new Set(['sshd', 'sshd-session', 'sshd-auth', 'dropbear']);

/** Programs that run as root between a command and the shell in which it was typed. */
const BECOMING_ROOT = new Set(['sudo', 'su', 'doas', 'pkexec', 'runuser', 'sudo-rs', 'run0']);

/** The user who runs this command, and the login. */
export interface Caller {
  /** Whether it comes over SSH. */
  readonly overSsh: boolean;
  /** The account behind root: that of sudo or su, or of the login; undefined: root. */
  readonly uid: number | undefined;
  /** Identifies a login: its audit session, or its processes. */
  readonly login: string;
}

/**
 * Who runs this command.
 *
 * @param environment - its environment
 * @returns the facts from the kernel and sudo
 */
export function thisCaller(environment: NodeJS.ProcessEnv): Caller {
  const chain = ancestors();
  const sudo = Number(environment['SUDO_UID'] ?? NaN);
  const uids = [sudo, numberIn('/proc/self/loginuid'), ...chain.map(({ uid }) => uid)];
  return {
    overSsh: environment['SSH_CONNECTION'] !== undefined || chain.some(({ name }) => SSH_SERVERS.has(name)),
    uid: uids.find((uid) => Number.isInteger(uid) && uid > 0 && uid < UNSET - 1),
    login: loginOf(numberIn('/proc/self/sessionid'), chain),
  };
}

/**
 * Whether the shell in which this command was typed is root's: not with sudo or su in front of the command.
 *
 * @returns whether it is; true also if unknown
 */
export function readerIsRoot(): boolean {
  return shellUidOf(ancestors()) === 0;
}

/**
 * The account of the shell in which a command was typed.
 *
 * @param chain - its ancestors, the nearest first
 * @returns the uid of the first that is no program to become root with; 0: there is none
 */
export function shellUidOf(chain: readonly Pick<Process, 'name' | 'uid'>[]): number {
  return chain.find(({ name }) => !BECOMING_ROOT.has(name))?.uid ?? 0;
}

function loginOf(audit: number, chain: readonly Process[]): string {
  // Process 1 and what it started serve many logins; what those started belongs to one.
  const own = chain.filter(({ parent }) => parent > 1).map(({ pid, started }) => `${pid}@${started}`);
  return [Number.isInteger(audit) && audit < UNSET ? `audit:${audit}` : 'audit:none', ...own].join(' ');
}

/**
 * Whether two commands come from one login.
 *
 * @param one - as {@link Caller} has it
 * @param other - the same
 * @returns whether they do: of one audit session, or where there are none, with a process in common
 */
export function sameLogin(one: string, other: string): boolean {
  const [audit, ...processes] = one.split(' ');
  const [otherAudit, ...others] = other.split(' ');
  if (audit !== 'audit:none' && otherAudit !== 'audit:none') {
    return audit === otherAudit;
  }
  return processes.some((process) => others.includes(process));
}

/** The ancestors, from our parent up to the first invisible one. */
function ancestors(): readonly Process[] {
  const chain: Process[] = [];
  let next = process.ppid;
  while (next > 0 && chain.length < LONGEST_CHAIN) {
    const found = processOf(next);
    if (found === undefined) {
      break;
    }
    chain.push(found);
    next = found.parent;
  }
  return chain;
}

function processOf(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses, and may hold any character.
    const end = stat.lastIndexOf(')');
    const fields = stat.slice(end + 2).split(' ');
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return {
      pid,
      parent: Number(fields[1]),
      name: stat.slice(stat.indexOf('(') + 1, end),
      uid: Number(uid),
      started: fields[19] ?? '',
    };
  } catch {
    return undefined;
  }
}

function numberIn(path: string): number {
  try {
    return Number(readFileSync(path, 'latin1').trim());
  } catch {
    return NaN;
  }
}

/**
 * Whether systemd runs this machine.
 *
 * @returns as sd_booted(3) has it
 */
export function hasSystemd(): boolean {
  try {
    readlinkSync('/run/systemd/system');
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EINVAL';
  }
}
