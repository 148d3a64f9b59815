import { BudgetedLog } from './budgeted-log.ts';
import type { Log } from './log.ts';

/** Receives reports that look-ups of the name service hang. */
interface Reports<User> {
  hung(who: User): void;
  returned(who: User): void;
  exhausted(): void;
}

/**
 * Logs that the name service hangs.
 *
 * @param log - the log
 * @param monotonic - a clock in milliseconds that never jumps
 * @returns the loggers: one for look-ups about a person, and one for look-ups that a program of a uid causes
 */
export function nameServiceReports(
  log: Log,
  monotonic: () => number,
): { readonly root: Reports<string>; readonly others: Reports<number> } {
  const budgeted = new BudgetedLog(log, monotonic);
  const exhausted = (whose: string) => (): void =>
    log.event('alert', `All look-ups ${whose} wait for a name service that does not answer`);
  return {
    root: {
      hung: (person) => log.event('warning', 'The name service does not answer', { about: person }),
      returned: (person) => log.event('notice', 'The name service answers again', { about: person }),
      exhausted: exhausted('of logins'),
    },
    others: {
      hung: (uid) => budgeted.of(uid).event('warning', 'The name service does not answer', { uid }),
      returned: (uid) => budgeted.of(uid).event('notice', 'The name service answers again', { uid }),
      exhausted: exhausted('of ordinary programs'),
    },
  };
}
