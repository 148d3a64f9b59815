import { spawn } from 'node:child_process';
import { BUILT, LIBRARIES } from './places.ts';

/** One login to be timed. */
export interface Job {
  /** Names what is measured. */
  readonly label: string;
  /** A file in the directory of service files. */
  readonly service: string;
  readonly user: string;
  readonly code: string;
}

/** The result of a login. */
export interface TimedLogin {
  readonly label: string;
  /** What PAM returned. */
  readonly rc: number;
  /** When it began, nanoseconds since 1970. */
  readonly begun: bigint;
  /** How long it took, in microseconds. */
  readonly took: number;
}

/** The number of logins, and their time together. */
export interface Run {
  readonly logins: readonly TimedLogin[];
  /** In microseconds. */
  readonly together: number;
}

const NS_PER_US = 1000;

/**
 * Logs users in through libpam, in one process or several.
 *
 * @param data - the directory with `pam.d` and `homes`
 * @param processes - how many
 * @param jobs - the logins; one process does them in this order
 * @returns the results, in the same order
 * @throws Error when the driver fails
 */
export async function logIn(data: string, processes: number, jobs: readonly Job[]): Promise<Run> {
  const child = spawn(`${BUILT}/driver`, [`${data}/pam.d`, String(processes)], {
    env: { ...process.env, LD_LIBRARY_PATH: LIBRARIES, BENCH_HOMES: `${data}/homes` },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('latin1').on('data', (text: string) => (output += text));
  child.stdin.end(
    jobs.map(({ label, service, user, code }) => `${label} ${service} ${user} ${code}\n`).join(''),
  );
  const status = await new Promise((resolve) => child.on('close', resolve));
  const [together, ...lines] = output.trimEnd().split('\n');
  if (status !== 0 || lines.length !== jobs.length) {
    throw new Error(`the driver ended with status ${String(status)}`);
  }
  return { logins: lines.map(parseLogin), together: Number(together) / NS_PER_US };
}

function parseLogin(line: string): TimedLogin {
  const [label = '', rc, begun = '', took] = line.split(' ');
  return { label, rc: Number(rc), begun: BigInt(begun), took: Number(took) / NS_PER_US };
}
