import type { Command } from 'commander';

/**
 * `setup`: stands in the help and in completion. Its own command line, which is that of google-authenticator, is read elsewhere.
 *
 * @param program - where the command is added
 */
export function setupCommand(program: Command): void {
  program.command('setup').description('Set up a phone or token with a QR code (also without a command)');
}
