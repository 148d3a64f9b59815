import type { FactorView, UserView } from '../../contracts/control-requests.ts';

/**
 * A moment, to the minute, in UTC.
 *
 * @param when - ISO 8601
 * @returns for example `2026-01-02 03:04`
 */
export function minute(when: string): string {
  return when.slice(0, 16).replace('T', ' ');
}

/**
 * Remarks about a factor.
 *
 * @param factor - the factor
 * @returns a few words, or none
 */
export function remarks({ paused, codesLeft }: FactorView): string {
  return [
    ...(paused ? ['paused'] : []),
    ...(codesLeft === undefined ? [] : [`${codesLeft} codes left`]),
  ].join(', ');
}

/**
 * A factor as a sentence, also for screen readers.
 *
 * @param factor - the factor
 * @returns the sentence
 */
export function factorSentence(factor: FactorView): string {
  const { kind, name, id, added, lastUsed } = factor;
  const used = lastUsed === null ? 'never used' : `last used ${minute(lastUsed)}`;
  return [`${name} (${kind}, ${id})`, `added ${minute(added)}`, used, remarks(factor)]
    .filter((part) => part !== '')
    .join(', ');
}

/** What to do if the daemon cannot tell a user's factors. */
export const LOOK_FURTHER = 'To find the cause: sudo pve-google-authenticator doctor';

/**
 * A sentence for a user whose factors are unknown or unusable, which is not the same as none.
 *
 * @param view - of a user whose factors cannot be used or read
 * @returns the sentence
 */
export function unreadSentence({ user, enrolled, problem }: UserView): string {
  const why = problem === undefined ? '' : ` (${problem})`;
  return enrolled === 'unknown'
    ? `The daemon could not read what ${user} has enrolled${why}. Logins of ${user} that ask for a code are refused meanwhile.`
    : `What ${user} has enrolled cannot be used${why}. Logins of ${user} that ask for a code are refused.`;
}

/** The width that every terminal has. */
const USUAL_COLUMNS = 80;
const HEADINGS = ['NAME', 'KIND', 'ID', 'ADDED', 'LAST USED', 'REMARKS'];
const DATE_LENGTH = 'YYYY-MM-DD'.length;

/**
 * A table of factors, below the name of each user. Where a line would be too long, sentences.
 *
 * @param views - what users have
 * @param columns - how wide it may be
 * @returns its lines; none when there is no factor
 */
export function factorTable(views: readonly UserView[], columns = USUAL_COLUMNS): string[] {
  const withFactors = views.filter(({ factors }) => factors.length > 0);
  const rows = withFactors.flatMap(({ factors }) => factors.map(cells));
  const widths = HEADINGS.map((_, column) =>
    Math.max(...[HEADINGS, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const lineOf = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd();
  const fits = rows.every((row) => lineOf(row).length <= columns);
  return withFactors.flatMap(({ user, factors }) => [
    `${user}:`,
    ...(fits
      ? [HEADINGS, ...factors.map(cells)].map(lineOf)
      : factors.map((factor) => `  ${factorSentence(factor)}`)),
  ]);
}

function cells(factor: FactorView): string[] {
  const { kind, name, id, added, lastUsed } = factor;
  const used = lastUsed === null ? 'never' : lastUsed.slice(0, DATE_LENGTH);
  return [name, kind, id, added.slice(0, DATE_LENGTH), used, remarks(factor)];
}
