import type { Command } from 'commander';
import type { UserView } from '../../control/requests.ts';
import type { Session } from '../session.ts';

/**
 * `remove USER FACTOR`: removes a factor.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function removeCommand(program: Command, session: Session): void {
  program
    .command('remove')
    .description('Remove a factor of a user; with the last one the user is not enrolled any more')
    .argument('<user>', 'whose factor')
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .option('--json', 'print what is left as JSON')
    .action(async (user: string, factor: string, options: { readonly json?: true }) => {
      const left = await session.daemon().ask<UserView>('DELETE', ['users', user, 'factors', factor]);
      if (options.json === true) {
        session.output.line(JSON.stringify(left));
        return;
      }
      const count = left.factors.length;
      session.output.line(
        count === 0
          ? `Factor ${factor} was removed. ${left.user} has no factor left and is not enrolled any more.`
          : `Factor ${factor} was removed. ${left.user} has ${count} left.`,
      );
    });
}
