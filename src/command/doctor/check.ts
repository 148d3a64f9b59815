import type { Machine } from './machine.ts';
import type { Remedy } from './remedy.ts';

/** Something wrong, with its remedy. */
export interface Finding {
  /** One sentence: what is wrong, where (file, line, option), and the consequence. */
  readonly what: string;
  /** The remedy. If only a person can fix it, the command to begin with: one line for root's shell, without questions. */
  readonly mend: Remedy | string;
}

/** One check of a machine. It changes nothing. */
export interface Check {
  /** The short name, for people and programs: lower case, words joined by dashes. */
  readonly name: string;
  /**
   * Looks.
   *
   * @param machine - where
   * @returns the findings; none if all is well
   */
  examine(machine: Machine): Promise<readonly Finding[]>;
}

/** A finding in the form that is printed. */
export interface Report {
  /** Name of the check. */
  readonly check: string;
  readonly what: string;
  /** The one command that fixes it, for root's shell. */
  readonly mend: string;
  /** What that command does; undefined if only a person can fix it. */
  readonly remedy?: Remedy;
}

/**
 * Runs the checks one after the other.
 *
 * @param checks - which
 * @param machine - where
 * @returns all findings, in the order of the checks
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
