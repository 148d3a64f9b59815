import type { Command } from 'commander';
import type { UserView } from '../../contracts/control-requests.ts';
import { thisMachine } from '../doctor/machine.ts';
import { serviceWords, type ServiceWords } from '../doctor/service-words.ts';
import { placesBelow } from '../switching/places.ts';
import { readPending, uptime } from '../switching/pending.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { factorSentence, LOOK_FURTHER, minute, unreadSentence } from '../session/user-views.ts';
import { userOption, type ForUser } from '../session/whose.ts';
import { wrapped } from '../terminal/wrap.ts';

/**
 * `status`: shows a user's factors, and what each service of this machine really does at a login.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function statusCommand(program: Command, session: Session): void {
  program
    .command('status')
    .description('Show your factors, and how your next logins will be checked')
    .addOption(userOption())
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples('pve-google-authenticator status', 'sudo pve-google-authenticator status --user alice --json'),
    )
    .action(async (options: ForUser & { readonly json?: true }) => {
      const { output } = session;
      const daemon = session.daemon();
      const view = await daemon.ask<UserView>('GET', ['users', options.user ?? session.self()]);
      const machine = thisMachine((...path) => daemon.ask('GET', path));
      const services = await serviceWords(machine, view);
      if (options.json === true) {
        const told = services.map(({ service, says }) => ({ service, says }));
        output.line(JSON.stringify({ ...view, services: told }));
        return;
      }
      for (const text of [...sentences(view), ...serviceSentences(view.user, services)]) {
        wrapped(output, text, text.startsWith(' ') ? '      ' : '  ').forEach((line) => output.line(line));
      }
    });
}

function sentences(view: UserView): string[] {
  const { user, factors, lockedUntil } = view;
  return [
    `${user}: ${enrolledSentence(view)}`,
    ...factors.map((factor) => `  ${factorSentence(factor)}`),
    ...(lockedUntil === null
      ? []
      : [
          `After too many failures, codes of digits from some origins are refused until ${minute(lockedUntil)}. A recovery code works. To end the lock now: sudo pve-google-authenticator unlock --user ${user}`,
        ]),
  ];
}

function enrolledSentence(view: UserView): string {
  switch (view.enrolled) {
    case 'store':
      return 'These factors are enrolled:';
    case 'elsewhere':
      return 'A factor outside the store is enrolled, for example in ~/.google_authenticator.';
    case 'none':
      return 'No factor is enrolled. Set one up with: pve-google-authenticator';
    case 'unusable':
    case 'unknown':
      return `${unreadSentence(view)} ${LOOK_FURTHER}`;
  }
}

function serviceSentences(user: string, services: readonly ServiceWords[]): string[] {
  const asked = services.some(({ asks }) => asks);
  const isRoot = process.geteuid?.() === 0;
  const pending = readPending(placesBelow());
  return [
    asked
      ? `How logins of ${user} are checked:`
      : 'No service of this machine asks for a code. An administrator switches that on: man pam_pve_authenticator',
    ...services.map(({ service, says }) => `  ${service}: ${says}`),
    ...(pending === undefined
      ? []
      : [
          `Not confirmed yet: ${pending.services.join(', ')}. It is undone in ${Math.max(0, Math.floor(pending.due - uptime()))} seconds. To keep it, run from a new login: sudo pve-google-authenticator confirm`,
        ]),
    ...(asked && !isRoot
      ? ['Only root sees rules of config.toml that exempt logins, and changes that wait to be confirmed.']
      : []),
  ];
}
