import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';

/** How a program ended. */
export interface Ended {
  /** Its exit status; null: it could not be started, or did not end in time. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What lstat(2) says. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What checks may look at. Nothing here changes anything. */
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
   * @throws Error for the person, when it is not there or refuses
   */
  ask<T>(...path: readonly string[]): Promise<T>;
}

const PATIENCE_MS = 20_000;
/** Programs of the administrator are in sbin, which a user's PATH need not have. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The machine that this runs on.
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
