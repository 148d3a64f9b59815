import type { Machine } from './machine.ts';
import type { Remedy } from './remedy.ts';

/** Something that is wrong, and what mends it. */
export interface Finding {
  /** One sentence: what is wrong, where (file, line, option), and what comes of it. */
  readonly what: string;
  /** What mends it; or, where only a person can, the command to begin with: one line for root's shell, without questions. */
  readonly mend: Remedy | string;
}

/** One thing that can be wrong with a machine. It changes nothing. */
export interface Check {
  /** Short, for the line that it gets and for programs: lower case, words joined by dashes. */
  readonly name: string;
  /**
   * Looks.
   *
   * @param machine - where
   * @returns what is wrong; nothing when all is well
   */
  examine(machine: Machine): Promise<readonly Finding[]>;
}

/** A finding as it is told. */
export interface Report {
  /** Name of the check. */
  readonly check: string;
  readonly what: string;
  /** The one command that mends it, for root's shell. */
  readonly mend: string;
  /** What that command does; undefined: only a person can mend it. */
  readonly remedy?: Remedy;
}

/**
 * Makes one check after the other.
 *
 * @param checks - which
 * @param machine - where
 * @returns all that is wrong, in the order of the checks
 */
export async function examineAll(checks: readonly Check[], machine: Machine): Promise<readonly Report[]> {
  const reports: Report[] = [];
  for (const check of checks) {
    for (const finding of await check.examine(machine)) {
      reports.push(reportOf(check.name, finding));
    }
  }
  return reports;
}

function reportOf(check: string, { what, mend }: Finding): Report {
  return typeof mend === 'string'
    ? { check, what, mend }
    : { check, what, mend: `pve-google-authenticator doctor --fix=${check}`, remedy: mend };
}
