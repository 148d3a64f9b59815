import type { BudgetedLog } from './budgeted-log.ts';

/** Whose file it is. */
interface Owner {
  readonly name: string;
  readonly uid: number;
}

/**
 * Logs what is wrong with a user's own file of YubiKeys. The user can cause this line with every login, so it counts against the
 * user's budget, for logins through either socket.
 *
 * @param logs - the budgets
 * @returns the logger
 */
export function lineTroubles(logs: BudgetedLog): (owner: Owner, why: string) => void {
  return ({ name, uid }, why) =>
    logs.of(uid).event('warning', "A user's mapping of YubiKeys cannot be used", { user: name, why });
}
