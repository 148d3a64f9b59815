import type { Command } from 'commander';
import type { UserView } from '../../control/requests.ts';
import { examples } from '../examples.ts';
import type { Session } from '../session.ts';
import { factorSentence, minute } from '../user-views.ts';

/** What a login finds, in words. */
const ENROLLED: Readonly<Record<UserView['enrolled'], string>> = {
  store: 'A login asks for a code of one of these factors:',
  elsewhere: 'A login asks for a code. The factor is kept elsewhere, for example in ~/.google_authenticator.',
  none: 'No factor is enrolled. Set one up with: pve-google-authenticator',
  unusable: 'What is enrolled cannot be used: a login is refused. The log of the daemon says why.',
  unknown: 'It cannot be found out right now what is enrolled. The log of the daemon says why.',
};

/**
 * `status [USER]`: what a login finds, in sentences.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function statusCommand(program: Command, session: Session): void {
  program
    .command('status')
    .description('Say in sentences what a login finds of a user')
    .argument('[user]', 'whose; yours when left out')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples('pve-google-authenticator status', 'sudo pve-google-authenticator status alice --json'),
    )
    .action(async (user: string | undefined, options: { readonly json?: true }) => {
      const view = await session.daemon().ask<UserView>('GET', ['users', user ?? session.self()]);
      if (options.json === true) {
        session.output.line(JSON.stringify(view));
      } else {
        sentences(view).forEach((line) => session.output.line(line));
      }
    });
}

function sentences({ user, enrolled, factors, lockedUntil }: UserView): string[] {
  return [
    `${user}: ${ENROLLED[enrolled]}`,
    ...factors.map((factor) => `  ${factorSentence(factor)}`),
    ...(lockedUntil === null
      ? []
      : [
          `After too many failures codes of digits are not looked at from some places, until ${minute(lockedUntil)}. A recovery code works. To end it: sudo pve-google-authenticator unlock ${user}`,
        ]),
  ];
}
