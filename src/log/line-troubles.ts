import type { BudgetedLog } from './budgeted-log.ts';

/** Whose file it is. */
interface Owner {
  readonly name: string;
  readonly uid: number;
}

/**
 * Logs what is wrong with a user's own file of YubiKeys. The user can cause that as often as anybody logs in as them, so it goes through
 * the user's budget, whichever socket the login came by.
 *
 * @param logs - the budgets
 * @returns who logs it
 */
export function lineTroubles(logs: BudgetedLog): (owner: Owner, why: string) => void {
  return ({ name, uid }, why) =>
    logs.of(uid).event('warning', "A user's mapping of YubiKeys cannot be used", { user: name, why });
}
