import type { Command } from 'commander';
import type { UserView } from '../../contracts/control-requests.ts';
import { examples } from './examples.ts';
import { proxmoxRemarks, proxmoxSentences } from '../proxmox/shown.ts';
import type { Session } from '../session/session.ts';
import { factorSentence, factorTable, LOOK_FURTHER, minute, unreadSentence } from '../session/user-views.ts';
import { userOption, type ForUser } from '../session/whose.ts';
import { wrapped } from '../terminal/wrap.ts';

interface ListOptions extends ForUser {
  readonly json?: true;
  readonly plain?: true;
}

/**
 * `list`: who has which factor, since when, and when it was last used.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function listCommand(program: Command, session: Session): void {
  program
    .command('list')
    .description('List your factors; for root, those of all users')
    .addOption(userOption('list those of this user, as root'))
    .option('--json', 'print the result as JSON')
    .option('--plain', 'print sentences instead of a table: for screen readers')
    .addHelpText(
      'after',
      examples('pve-google-authenticator list', 'sudo pve-google-authenticator list --user alice --json'),
    )
    .action(async (options: ListOptions) => {
      const { user } = options;
      const daemon = session.daemon();
      const views =
        user === undefined
          ? await daemon.list<UserView>(['users'])
          : [await daemon.ask<UserView>('GET', ['users', user])];
      if (options.json === true) {
        session.output.line(JSON.stringify(views));
      } else {
        show(views, options, session);
      }
    });
}

function show(views: readonly UserView[], { plain }: ListOptions, { output }: Session): void {
  for (const view of views) {
    remarksOf(view).forEach((line) => output.note(`${view.user}: ${line}`));
  }
  const unread = views.filter(({ enrolled }) => enrolled === 'unknown' || enrolled === 'unusable');
  unread.forEach((view) => output.note(unreadSentence(view)));
  const lines =
    plain === true
      ? views.flatMap(({ user, factors }) => factors.map((factor) => `${user}: ${factorSentence(factor)}`))
      : factorTable(views, output.terminal?.columns);
  lines.flatMap((line) => wrapped(output, line, '      ')).forEach((line) => output.line(line));
  const inProxmox = views.flatMap(({ user, proxmox }) =>
    proxmox === undefined ? [] : proxmoxSentences(user, proxmox),
  );
  inProxmox.forEach((line) => output.line(line));
  if (unread.length > 0) {
    output.note(LOOK_FURTHER);
  } else if (lines.length + inProxmox.length === 0) {
    const elsewhere = views.some(({ enrolled }) => enrolled === 'elsewhere');
    output.note(elsewhere ? 'No factor is in the store.' : 'No factor is enrolled.');
  }
}

function remarksOf({ lockedUntil, enrolled, proxmox }: UserView): string[] {
  return [
    ...(proxmox === undefined ? [] : proxmoxRemarks(proxmox)),
    ...(lockedUntil === null ? [] : [`locked for some origins until ${minute(lockedUntil)}`]),
    ...(enrolled === 'elsewhere' && (proxmox?.entries.length ?? 0) === 0
      ? ['has a factor outside the store']
      : []),
  ];
}
