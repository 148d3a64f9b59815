import { type Command, Option } from 'commander';
import {
  MAX_NEW_PERIOD,
  MIN_NEW_PERIOD,
  type AddedFactor,
  type NewFactor,
} from '../../contracts/control-requests.ts';
import { change } from '../session/ask-with-proof.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { showRecoveryCodes } from '../secrets/show-recovery-codes.ts';
import { userOption, whoseWords, type ForUser } from '../session/whose.ts';
import { addYubikeyCommand } from './add-yubikey.ts';
import { secondsFrom } from './seconds.ts';

const newPeriod = secondsFrom(MIN_NEW_PERIOD, MAX_NEW_PERIOD);

interface AddOptions extends ForUser {
  readonly name?: string;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  readonly digits?: string;
  readonly period?: number;
  readonly json?: true;
}

/**
 * `add totp|hotp|recovery|yubikey`: adds a factor; a new secret is shown once.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function addCommand(program: Command, session: Session): void {
  const add = program
    .command('add')
    .description('Add a phone, token, YubiKey or recovery codes')
    .addHelpText('after', examples('pve-google-authenticator add totp --name pixel-7'));
  const subcommand = (kind: string, description: string): Command =>
    add
      .command(kind)
      .description(description)
      .addOption(userOption())
      .addHelpText(
        'after',
        examples(
          `pve-google-authenticator add ${kind}`,
          `sudo pve-google-authenticator add ${kind} --user alice --json`,
        ),
      );

  tokenOptions(subcommand('totp', 'Add a phone that shows a new code every 30 seconds (TOTP)'))
    .option(
      '--period <seconds>',
      `change the code after this time, ${MIN_NEW_PERIOD} to ${MAX_NEW_PERIOD}`,
      newPeriod,
    )
    .action((options: AddOptions) =>
      run(session, { kind: 'totp', ...tokenOf(options), period: options.period }, options),
    );
  tokenOptions(subcommand('hotp', 'Add a token that shows a new code at each press (HOTP)')).action(
    (options: AddOptions) => run(session, { kind: 'hotp', ...tokenOf(options) }, options),
  );
  addYubikeyCommand(subcommand('yubikey', 'Add a YubiKey, with one touch'), session);
  subcommand('recovery', 'Add ten recovery codes, each good for one login, for the day without the phone')
    .option('--json', 'print the result as JSON; it holds the codes')
    .action((options: AddOptions) => run(session, { kind: 'recovery' }, options));
}

function tokenOptions(command: Command): Command {
  return command
    .option('-n, --name <name>', 'name the device, for example pixel-7')
    .addOption(
      new Option('--algorithm <name>', 'hash function of the codes').choices(['sha1', 'sha256', 'sha512']),
    )
    .addOption(new Option('--digits <number>', 'length of a code').choices(['6', '7', '8']))
    .option('--json', 'print the result as JSON; it holds the secret');
}

function tokenOf({
  name,
  algorithm,
  digits,
}: AddOptions): Omit<Extract<NewFactor, { kind: 'hotp' }>, 'kind'> {
  return { name, algorithm, digits: digits === undefined ? undefined : (Number(digits) as 6 | 7 | 8) };
}

async function run(session: Session, wanted: NewFactor, { user, json }: AddOptions): Promise<void> {
  const { added } = await change(session, user ?? session.self(), [{ do: 'add', factor: wanted }]);
  for (const factor of added) {
    await print(factor, json, session);
  }
}

async function print(added: AddedFactor, json: true | undefined, session: Session): Promise<void> {
  if (json === true) {
    session.output.line(JSON.stringify(added));
  } else {
    await show(added, session);
  }
}

async function show(added: AddedFactor, session: Session): Promise<void> {
  const { output } = session;
  const { user, factor, secret, codes } = added;
  if (secret !== undefined) {
    const { showFactor } = await import('../secrets/show-factor.ts');
    showFactor(output, { user, factor, secret });
    const whose = whoseWords(session, user);
    output.line(
      `Factor ${factor.name} (${factor.id}) was added for ${user}. To show its QR code again: pve-google-authenticator qr ${factor.id}${whose}`,
    );
  }
  if (codes !== undefined) {
    showRecoveryCodes(output, user, codes);
  }
}
