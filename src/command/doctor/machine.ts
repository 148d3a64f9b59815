import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import type { Health } from '../../contracts/control-requests.ts';

/** The result of a program. */
export interface Ended {
  /** Its exit status; null: it could not be started, or did not end in time. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The result of lstat(2). */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The machine that checks examine. Nothing here changes anything. */
export interface Machine {
  /** @returns the contents of a file; undefined: it is not there, or cannot be read */
  read(path: string): Buffer | undefined;
  /** @returns the names in a directory; none if it is not there */
  list(path: string): readonly string[];
  /** @returns what a name is, links not followed; undefined: it is not there */
  stat(path: string): FileFacts | undefined;
  /** Runs a program to its end. */
  run(program: string, ...argv: readonly string[]): Promise<Ended>;
  /**
   * Asks the daemon (GET).
   *
   * @returns the answer
   * @throws Error for the person, if it is not running or refuses
   */
  ask<T>(...path: readonly string[]): Promise<T>;
}

const PATIENCE_MS = 20_000;
/** Programs of the administrator are in sbin, which may be missing in a user's PATH. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The machine that this command runs on.
 *
 * @param ask - how the daemon is asked
 * @returns the machine
 */
export function thisMachine(ask: Machine['ask']): Machine {
  return {
    ask,
    read: (path) => orUndefined(() => readFileSync(path)),
    list: (path) => orUndefined(() => readdirSync(path)) ?? [],
    stat: (path) => orUndefined(() => factsOf(path)),
    run: (program, ...argv) =>
      new Promise((resolve) => {
        const child = execFile(
          program,
          argv,
          { timeout: PATIENCE_MS, env: { PATH, LC_ALL: 'C.UTF-8' } },
          (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
        );
      }),
  };
}

/**
 * The health of the daemon.
 *
 * @param machine - where
 * @returns undefined if it does not answer, or does not know the request; the check `daemon` reports that
 */
export async function healthOf(machine: Pick<Machine, 'ask'>): Promise<Health | undefined> {
  try {
    return await machine.ask<Health>('health');
  } catch {
    return undefined;
  }
}

/**
 * A machine whose daemon is asked each question once. If it does not answer at all, later questions fail at once.
 *
 * @param machine - where
 * @param isAbsent - whether an error means that the daemon does not answer
 * @returns the same machine, as it is now
 */
export function askedOnce(machine: Machine, isAbsent: (error: unknown) => boolean): Machine {
  const answers = new Map<string, Promise<unknown>>();
  let absent: Error | undefined;
  return {
    ...machine,
    async ask<T>(...path: readonly string[]): Promise<T> {
      if (absent !== undefined) {
        throw absent;
      }
      const question = path.join('\0');
      const answer = answers.get(question) ?? machine.ask<T>(...path);
      answers.set(question, answer);
      try {
        return (await answer) as T;
      } catch (error) {
        absent = isAbsent(error) && error instanceof Error ? error : undefined;
        throw error;
      }
    },
  };
}

function factsOf(path: string): FileFacts {
  const facts = lstatSync(path);
  const { mode, uid, gid } = facts;
  let kind: FileFacts['kind'] = 'other';
  if (facts.isSymbolicLink()) {
    kind = 'link';
  } else if (facts.isFile()) {
    kind = 'file';
  } else if (facts.isDirectory()) {
    kind = 'directory';
  }
  return { kind, mode: mode & 0o7777, uid, gid };
}

function orUndefined<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
