import type { Command } from 'commander';
import type { Forgotten } from '../../contracts/control-requests.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/**
 * `forget --user USER`: marks a missing file of pam_google_authenticator as deleted.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function forgetCommand(program: Command, session: Session): void {
  program
    .command('forget')
    .description("Mark a user's missing ~/.google_authenticator as deleted")
    .addOption(userOption('the user, as root').makeOptionMandatory())
    .addOption(yesOption())
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples('sudo pve-google-authenticator forget --user alice'))
    .action(async (options: Required<ForUser> & Agreement & { readonly json?: true }) => {
      const { user } = options;
      await askBeforeLoss(
        session,
        options,
        `If the home directory of ${user} is only unmounted, ${user} counts as not enrolled until it is mounted again.`,
      );
      const forgotten = await session.daemon().ask<Forgotten>('POST', ['users', user, 'forget']);
      session.output.line(
        options.json === true
          ? JSON.stringify(forgotten)
          : `From now on, ${user} counts as not enrolled while that file is missing.`,
      );
    });
}
