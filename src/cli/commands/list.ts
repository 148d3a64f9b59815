import type { Command } from 'commander';
import type { FactorView, UserView } from '../../control/requests.ts';
import type { Session } from '../session.ts';

/**
 * `list [USER]`: who has which factor, since when, and when it was last used.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function listCommand(program: Command, session: Session): void {
  program
    .command('list')
    .description('List the factors of a user; for root, of all users')
    .argument('[user]', 'whose factors; when left out yours, or for root those of all users')
    .option('--json', 'print the result as JSON')
    .action(async (user: string | undefined, options: { readonly json?: true }) => {
      const daemon = session.daemon();
      const views =
        user === undefined
          ? await daemon.ask<UserView[]>('GET', ['users'])
          : [await daemon.ask<UserView>('GET', ['users', user])];
      if (options.json === true) {
        session.output.line(JSON.stringify(views));
      } else {
        table(views, session);
      }
    });
}

const HEADINGS = ['USER', 'FACTOR', 'NAME', 'ID', 'ADDED', 'LAST USED'];

function table(views: readonly UserView[], { output }: Session): void {
  const rows = views.flatMap(({ user, factors }) => factors.map((factor) => cells(user, factor)));
  for (const { user, problem } of views) {
    if (problem !== undefined) {
      output.note(`${user}: ${problem}`);
    }
  }
  if (rows.length === 0) {
    output.note('No factor is enrolled.');
    return;
  }
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  for (const row of all) {
    output.line(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

function cells(user: string, factor: FactorView): string[] {
  const day = (when: string): string => when.slice(0, 16).replace('T', ' ');
  return [
    user,
    factor.kind,
    factor.name,
    factor.id,
    day(factor.added),
    factor.lastUsed === null ? 'never' : day(factor.lastUsed),
  ];
}
