import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ShownFactor } from '../../contracts/control-requests.ts';
import { askWithProof } from '../session/ask-with-proof.ts';
import { QR_MODES, type QrMode } from '../terminal/qr.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import type { ShowOptions } from '../secrets/show-factor.ts';
import { userOption, type ForUser } from '../session/whose.ts';

interface QrOptions extends ShowOptions, ForUser {
  readonly json?: true;
}

/**
 * `qr FACTOR`: shows the QR code of a factor again.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function qrCommand(program: Command, session: Session): void {
  program
    .command('qr')
    .description('Show the QR code of a factor again')
    .argument('<factor>', 'its ID or name, as "list" shows it')
    .addOption(userOption())
    .addOption(qrModeOption())
    .option('-i, --issuer <issuer>', 'name the machine in the app (default: the host)')
    .option('-l, --label <label>', 'name the account in the app (default: the user)')
    .option('--json', 'print the result as JSON; it holds the secret')
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator qr pixel-7',
        'sudo pve-google-authenticator qr pixel-7 --user alice --qr-mode=UTF8_INVERSE',
      ),
    )
    .action(async (factor: string, options: QrOptions) => {
      const user = options.user ?? session.self();
      const shown = await askWithProof<ShownFactor>(session, ['users', user, 'factors', factor, 'show']);
      if (options.json === true) {
        session.output.line(JSON.stringify(shown));
      } else {
        const { showFactor } = await import('../secrets/show-factor.ts');
        showFactor(session.output, shown, options);
      }
    });
}

/**
 * The option for the form of the QR code.
 *
 * @returns the option
 */
export function qrModeOption(): Option {
  return new Option('-Q, --qr-mode <mode>', 'draw it in this way')
    .choices(QR_MODES)
    .argParser((value): QrMode => {
      const wanted = value.replaceAll('-', '_').toUpperCase();
      const found = QR_MODES.find((mode) => mode === wanted);
      if (found === undefined) {
        throw new InvalidArgumentError(`It must be one of ${QR_MODES.join(', ')}.`);
      }
      return found;
    });
}
