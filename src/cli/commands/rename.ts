import type { Command } from 'commander';
import { change } from '../proven.ts';
import { examples } from '../examples.ts';
import type { Session } from '../session.ts';
import { targetOf } from '../target.ts';

/**
 * `rename [USER] FACTOR NAME`: gives a factor another name.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function renameCommand(program: Command, session: Session): void {
  program
    .command('rename')
    .description('Give a factor another name')
    .usage('[options] [user] <factor> <name>')
    .argument('[words...]', 'whose factor (yours when left out), its ID or name, and its new name')
    .option('--json', 'print what the user has then as JSON')
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator rename phone pixel-7',
        'pve-google-authenticator rename alice phone pixel-7',
      ),
    )
    .action(async (words: string[], options: { readonly json?: true }, command: Command) => {
      const [user, factor, name] = targetOf(command, session, words, ['factor', 'name']);
      const { view } = await change(session, user, [{ do: 'rename', factor, name }]);
      session.output.line(
        options.json === true ? JSON.stringify(view) : `Factor ${factor} of ${view.user} is ${name} now.`,
      );
    });
}
