import type { Machine } from './machine.ts';

/** Something that is wrong, and what mends it. */
export interface Finding {
  /** One sentence: what is wrong, where (file, line, option), and what comes of it. */
  readonly what: string;
  /** The command that mends it: one line for root's shell, without questions. */
  readonly mend: string;
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

/** A finding, and who made it. */
export interface Report extends Finding {
  /** Name of the check. */
  readonly check: string;
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
      reports.push({ check: check.name, ...finding });
    }
  }
  return reports;
}
