import type { Command } from 'commander';
import type { RenamedUser } from '../../contracts/control-requests.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';

/**
 * `rename-user OLD USER`: gives a record to the new name of its user.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function renameUserCommand(program: Command, session: Session): void {
  program
    .command('rename-user')
    .description('Give the factors of a renamed account to its new name')
    .argument('<old>', 'the name that the account had')
    .argument('<user>', 'the name that it has now')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('sudo pve-google-authenticator rename-user DaveSmith davesmith'))
    .action(async (old: string, user: string, options: { readonly json?: true }) => {
      const path = ['users', old, 'rename'];
      const renamed = await session.daemon().ask<RenamedUser>('POST', path, { to: user });
      session.output.line(
        options.json === true
          ? JSON.stringify(renamed)
          : `${renamed.user} now has the factors of ${renamed.from}. Used codes stay used.`,
      );
    });
}
