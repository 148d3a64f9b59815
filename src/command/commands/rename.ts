import type { Command } from 'commander';
import { change } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/**
 * `rename FACTOR NAME`: gives a factor another name.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function renameCommand(program: Command, session: Session): void {
  program
    .command('rename')
    .description('Rename a factor')
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .argument('<name>', 'its new name')
    .addOption(userOption())
    .option('--json', "print the user's factors as JSON")
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator rename phone pixel-7',
        'sudo pve-google-authenticator rename phone pixel-7 --user alice',
      ),
    )
    .action(async (factor: string, name: string, options: ForUser & { readonly json?: true }) => {
      const user = options.user ?? session.self();
      const { view } = await change(session, user, [{ do: 'rename', factor, name }]);
      session.output.line(
        options.json === true ? JSON.stringify(view) : `Factor ${factor} of ${view.user} is ${name} now.`,
      );
    });
}
