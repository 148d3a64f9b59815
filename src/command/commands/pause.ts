import type { Command } from 'commander';
import { change } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/**
 * `pause FACTOR` and `resume FACTOR`: codes of a factor are not accepted for a while.
 *
 * @param program - where the commands are added
 * @param session - connection and output
 */
export function pauseCommands(program: Command, session: Session): void {
  add(program, session, 'pause', 'Accept no codes of a factor until you resume it');
  add(program, session, 'resume', 'Accept the codes of a paused factor again');
}

function add(program: Command, session: Session, name: 'pause' | 'resume', description: string): void {
  program
    .command(name)
    .description(description)
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .addOption(userOption())
    .option('--json', "print the user's factors as JSON")
    .addHelpText(
      'after',
      examples(
        `pve-google-authenticator ${name} pixel-7`,
        `sudo pve-google-authenticator ${name} pixel-7 --user alice`,
      ),
    )
    .action(async (factor: string, options: ForUser & { readonly json?: true }) => {
      const user = options.user ?? session.self();
      const { view } = await change(session, user, [{ do: name, factor }]);
      session.output.line(
        options.json === true
          ? JSON.stringify(view)
          : `Factor ${factor} of ${view.user} is ${name === 'pause' ? 'paused' : 'active again'}.`,
      );
    });
}
