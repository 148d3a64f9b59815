import type { Command } from 'commander';
import { confirm, evidence } from '../switching/confirm.ts';
import { uptime } from '../switching/pending.ts';
import { examples } from './examples.ts';
import { askToGoOn } from '../terminal/ask-to-go-on.ts';
import { switchingTools } from './switching-tools.ts';
import type { Session } from '../session/session.ts';

/**
 * `confirm`: keeps the services of `enable` through which somebody has logged in since.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function confirmCommand(program: Command, session: Session): void {
  program
    .command('confirm')
    .description('Keep what "enable" switched on, from a new login')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('sudo pve-google-authenticator confirm'))
    .action(async (options: { readonly json?: true }) => {
      const { output, questions } = session;
      const { places, machine, caller } = switchingTools(session, 'confirm');
      const found = await evidence(places, machine, caller.login);
      const tell = (text: string): void => {
        if (options.json !== true) {
          output.line(text);
        }
      };
      for (const { service, user } of found.proven) {
        tell(`${service}: ${user} logged in with a code.`);
      }
      if (found.unproven.length > 0) {
        output.note(
          `Nobody logged in with a code through ${found.unproven.join(', ')}: this will be undone.`,
        );
        if (questions.interactive) {
          const { services, due } = found.pending;
          const left = (): number => Math.max(0, Math.floor(due - uptime()));
          await askToGoOn(questions, { services, left, sudo: caller.uid === undefined ? '' : 'sudo ' });
        }
      }
      const said = await confirm(places, machine, found);
      if (said !== '') {
        output.note(said);
      }
      tell(`Confirmed: ${found.proven.map(({ service }) => service).join(', ')}.`);
      if (options.json === true) {
        const confirmed = found.proven.map(({ service, user }) => ({ service, user }));
        output.line(JSON.stringify({ confirmed, undone: found.unproven }));
      }
    });
}
