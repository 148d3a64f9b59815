import type { Command } from 'commander';
import type { Repaired } from '../../contracts/control-requests.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';

/**
 * `repair`: repairs a damaged ledger of used codes.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function repairCommand(program: Command, session: Session): void {
  program
    .command('repair')
    .description('Repair a damaged ledger of used codes')
    .option('--json', 'print the result as JSON')
    .addOption(yesOption())
    .addHelpText('after', examples('sudo pve-google-authenticator repair'))
    .action(async (options: Agreement & { readonly json?: true }) => {
      await askBeforeLoss(
        session,
        options,
        'This forgets the HOTP and recovery codes whose use stood in the damaged part of the ledger. Each of them may work once more.',
      );
      const result = await session.daemon().ask<Repaired>('POST', ['ledger', 'repair']);
      if (options.json === true) {
        session.output.line(JSON.stringify(result));
      } else if (result.repaired) {
        session.output.line(
          'The ledger of used codes is intact again. The damaged files are kept beside it.',
        );
        session.output.line(
          'HOTP and recovery codes whose use stood in the damaged part may work once more.',
        );
        session.output.line('If somebody may have seen such a code, remove that factor and add a new one.');
      } else {
        session.output.line(
          result.condition === 'sound'
            ? 'The ledger of used codes is intact: there is nothing to repair.'
            : 'The ledger of used codes is not damaged, but it cannot be written: see the log of the daemon.',
        );
      }
    });
}
