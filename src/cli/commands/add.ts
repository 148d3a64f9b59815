import { type Command, InvalidArgumentError, Option } from 'commander';
import { renderUnicodeCompact } from 'uqr';
import {
  MAX_NEW_PERIOD,
  MIN_NEW_PERIOD,
  type AddedFactor,
  type AddTotpRequest,
} from '../../control/requests.ts';
import type { Session } from '../session.ts';

interface AddOptions {
  readonly name?: string;
  readonly algorithm?: AddTotpRequest['algorithm'];
  readonly digits?: string;
  readonly period?: number;
  readonly json?: true;
}

/** Four modules of quiet zone: ISO/IEC 18004, section 5.3.8. */
const QUIET_ZONE = 4;

/**
 * `add totp USER`: adds a factor with a new secret and shows it, once.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function addCommand(program: Command, session: Session): void {
  program
    .command('add')
    .description('Add a factor to a user')
    .command('totp')
    .description('Add a TOTP factor: a phone that shows a new code every 30 seconds')
    .argument('<user>', 'whose factor it will be')
    .option('-n, --name <name>', 'a name for the device, for example pixel-7')
    .addOption(new Option('--algorithm <name>', 'hash function').choices(['sha1', 'sha256', 'sha512']))
    .addOption(new Option('--digits <number>', 'length of a code').choices(['6', '7', '8']))
    .option('--period <seconds>', `how long a code is shown, ${MIN_NEW_PERIOD} to ${MAX_NEW_PERIOD}`, seconds)
    .option('--json', 'print the result as JSON; it holds the secret')
    .action(async (user: string, options: AddOptions) => {
      const wanted: AddTotpRequest = {
        kind: 'totp',
        name: options.name,
        algorithm: options.algorithm,
        digits: options.digits === undefined ? undefined : (Number(options.digits) as 6 | 7 | 8),
        period: options.period,
      };
      const added = await session.daemon().ask<AddedFactor>('POST', ['users', user, 'factors'], wanted);
      show(added, session, options.json === true);
    });
}

function show({ user, factor, secret, uri }: AddedFactor, { output }: Session, json: boolean): void {
  if (json) {
    output.line(JSON.stringify({ user, factor, secret, uri }));
    return;
  }
  output.line(renderUnicodeCompact(uri, { ecc: 'L', border: QUIET_ZONE }));
  output.line('');
  output.line(
    `Scan this with an authenticator app, or type the key: ${secret.match(/.{1,4}/g)?.join(' ') ?? ''}`,
  );
  output.line(`Factor ${factor.name} (${factor.id}) was added for ${user}. The key is not shown again.`);
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d{1,4}$/.test(text) || value < MIN_NEW_PERIOD || value > MAX_NEW_PERIOD) {
    throw new InvalidArgumentError(
      `It must be a number of seconds from ${MIN_NEW_PERIOD} to ${MAX_NEW_PERIOD}.`,
    );
  }
  return value;
}
