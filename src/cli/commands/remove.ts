import type { Command } from 'commander';
import { change } from '../proven.ts';
import { examples } from '../examples.ts';
import type { Session } from '../session.ts';
import { targetOf } from '../target.ts';

/**
 * `remove [USER] FACTOR`: removes a factor.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function removeCommand(program: Command, session: Session): void {
  program
    .command('remove')
    .description('Remove a factor of a user; with the last one the user is not enrolled any more')
    .usage('[options] [user] <factor>')
    .argument('<words...>', 'whose factor (yours when left out), and its ID or name, as "list" shows it')
    .option('--json', 'print what is left as JSON')
    .addHelpText(
      'after',
      examples('pve-google-authenticator remove pixel-7', 'pve-google-authenticator remove alice pixel-7'),
    )
    .action(async (words: string[], options: { readonly json?: true }, command: Command) => {
      const [user, factor] = targetOf(command, session, words, ['factor']);
      const { view } = await change(session, user, [{ do: 'remove', factor }]);
      if (options.json === true) {
        session.output.line(JSON.stringify(view));
        return;
      }
      const count = view.factors.length;
      session.output.line(
        count === 0
          ? `Factor ${factor} was removed. ${view.user} has no factor left and is not enrolled any more.`
          : `Factor ${factor} was removed. ${view.user} has ${count} left.`,
      );
    });
}
