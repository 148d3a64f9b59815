import type { Command } from 'commander';

/**
 * `setup`: only for help and completion. Another file parses its command line, which is that of google-authenticator.
 *
 * @param program - where the command is added
 */
export function setupCommand(program: Command): void {
  program.command('setup').description('Set up a phone or token with a QR code (also without a command)');
}
