import type { Command } from 'commander';
import { guardedServices } from '../doctor/guarded.ts';
import { whyNoService } from '../pam-d/services.ts';
import { undo } from '../switching/arm.ts';
import { CommandError } from '../session/control-client.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { examples } from './examples.ts';
import { switchingTools } from './switching-tools.ts';
import type { Session } from '../session/session.ts';

/**
 * `disable SERVICE…`: restores the files from before `enable`.
 *
 * @param program - where the command is added
 * @param session - output
 */
export function disableCommand(program: Command, session: Session): void {
  program
    .command('disable')
    .description('Undo "enable": restore the service files')
    .argument('[service...]', 'PAM services, for example sshd')
    .option('--all', 'every service that "enable" switched on')
    .addOption(yesOption())
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('sudo pve-google-authenticator disable sshd'))
    .action(
      async (services: string[], options: Agreement & { readonly all?: true; readonly json?: true }) => {
        if ((options.all === true) === services.length > 0) {
          throw new CommandError('ERR_USAGE', 'Name services, or say --all. For example: disable sshd');
        }
        for (const service of services) {
          const why = whyNoService(service);
          if (why !== undefined) {
            throw new CommandError('ERR_USAGE', why);
          }
        }
        const { machine } = switchingTools(session, `disable ${services.join(' ') || '--all'}`);
        const asking = options.all === true ? guardedServices(machine).map(({ service }) => service) : [];
        if (asking.length > 0) {
          await askBeforeLoss(session, options, `Logins will no longer need a code: ${asking.join(', ')}.`);
        }
        // The undo script also works without Node, so all undoing is in one place.
        const { status, stderr } = await undo(machine, '--off', ...services);
        const said = stderr.trim();
        if (status !== 0) {
          throw new CommandError('ERR_DISABLE', said === '' ? 'The undo failed and did not say why.' : said);
        }
        session.output.line(
          options.json === true
            ? JSON.stringify({ said: said === '' ? [] : said.split('\n') })
            : said === ''
              ? 'Nothing was switched on.'
              : said,
        );
      },
    );
}
