import type { Command } from 'commander';
import type { Change, FactorView, UserView } from '../../contracts/control-requests.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { change } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { showRecoveryCodes } from '../secrets/show-recovery-codes.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/**
 * `recovery`: a new set of recovery codes, in place of the old one.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function recoveryCommand(program: Command, session: Session): void {
  program
    .command('recovery')
    .description('Replace the recovery codes by ten new ones')
    .addOption(userOption())
    .addOption(yesOption())
    .option('--json', 'print the result as JSON; it holds the codes')
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator recovery',
        'sudo pve-google-authenticator recovery --user alice | lp',
      ),
    )
    .action(async (options: ForUser & Agreement & { readonly json?: true }) => {
      const user = options.user ?? session.self();
      const { factors } = await session.daemon().ask<UserView>('GET', ['users', user]);
      const old = factors.filter(({ kind }) => kind === 'recovery');
      if (old.length > 0) {
        await askBeforeLoss(
          session,
          options,
          `The ${codesLeft(old)} recovery codes that ${user} has left stop working.`,
        );
      }
      const { added } = await change(session, user, [
        ...old.map(({ id }): Change => ({ do: 'remove', factor: id })),
        { do: 'add', factor: { kind: 'recovery' } },
      ]);
      for (const set of added) {
        if (options.json === true) {
          session.output.line(JSON.stringify(set));
        } else {
          showRecoveryCodes(session.output, set.user, set.codes ?? []);
        }
      }
      if (old.length > 0) {
        session.output.note('The old recovery codes no longer work.');
      }
    });
}

function codesLeft(sets: readonly FactorView[]): number {
  return sets.reduce((sum, set) => sum + (set.codesLeft ?? 0), 0);
}
