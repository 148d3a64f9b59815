import { writeFileSync } from 'node:fs';
import { CHECKOUT } from '../harness/daemon.ts';
import { run } from '../harness/run.ts';
import type { End } from './scenario.ts';

const NATIVE_TESTS = `${CHECKOUT}/build/native-test`;
const PATIENCE_S = 20;
/** How long to wait for something that never comes. */
const SHORT_PATIENCE_S = 1;
/** The status of timeout(1) after a kill. */
const KILLED = 137;
/** What libpam returns (security/_pam_types.h); 6 when every module of the stack said PAM_IGNORE. */
const ENDS: Readonly<Record<number, End>> = {
  0: 'in',
  4: 'unavailable',
  6: 'ignored',
  7: 'out',
  10: 'user-unknown',
  19: 'not-asked',
};

/** The instructions for a host. */
export interface Visit {
  /** Where PAM's files are. */
  readonly confdir: string;
  readonly service: string;
  readonly user: string;
  /** Null: the conversation fails. */
  readonly answer: string | null;
  readonly rhost: string | undefined;
  readonly password: string | undefined;
  /** Not to wait long. */
  readonly hurry: boolean;
  readonly environment: NodeJS.ProcessEnv;
}

/** What it saw. */
export interface Visited {
  /** How it ended, or the number that PAM returned. */
  readonly end: End | number;
  readonly shown: readonly string[];
  /** What the next module gets as password. */
  readonly passes: string | null;
  /** The output on standard error. */
  readonly said: readonly string[];
}

interface Line {
  readonly ev: string;
  readonly style?: string;
  readonly msg?: string;
  readonly rc?: number;
  readonly hex?: string | null;
}

/**
 * Writes a PAM service that has one module; others around it, which never decide, set and see the password.
 *
 * @param confdir - where
 * @param service - its name
 * @param module - the module's file and its arguments
 */
export function writeService(confdir: string, service: string, module: string): void {
  const probe = `auth optional ${NATIVE_TESTS}/pam_probe.so\n`;
  writeFileSync(`${confdir}/${service}`, `${probe}auth required ${module}\n${probe}`);
}

/**
 * Logs somebody in through the real libpam, in a process of its own.
 *
 * @param visit - who, where, how
 * @returns what the host saw
 */
export async function visit(visit: Visit): Promise<Visited> {
  const { confdir, service, user, answer, rhost, password, hurry, environment } = visit;
  const items = [
    ...(rhost === undefined ? [] : ['-i', `RHOST=${rhost}`]),
    ...(password === undefined ? [] : ['-i', `AUTHTOK=${password}`]),
  ];
  const patience = hurry ? SHORT_PATIENCE_S : PATIENCE_S;
  const client = [
    `${NATIVE_TESTS}/pam-client`,
    '-k',
    '-d',
    confdir,
    ...items,
    service,
    user,
    'auth',
    'authtok',
  ];
  const input = answer === null ? '' : `${answer}\n`;
  const ended = await run(['timeout', '-s', 'KILL', String(patience), ...client], input, environment);
  const told = ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  const killed = ended.status === null || ended.status === KILLED;
  if (killed ? !hurry : ended.status > 1) {
    throw new Error(`pam-client: status ${String(ended.status)} ${ended.stdout}${ended.stderr}`);
  }
  const rc = told.find(({ ev }) => ev === 'op')?.rc;
  const hex = told.find(({ ev }) => ev === 'authtok')?.hex;
  return {
    end: rc === undefined ? 'hangs' : (ENDS[rc] ?? rc),
    shown: told
      .filter(({ ev }) => ev === 'prompt' || ev === 'message')
      .map(({ style, msg }) => `${style!}: ${msg!}`),
    passes: typeof hex === 'string' ? Buffer.from(hex, 'hex').toString('latin1') : null,
    said: ended.stderr.split('\n').filter((line) => line !== ''),
  };
}
