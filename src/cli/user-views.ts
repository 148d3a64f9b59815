import type { FactorView, UserView } from '../control/requests.ts';

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
 * What is special about a factor.
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
 * A factor as a sentence: for ears, too.
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

/** What to do when the daemon cannot say what somebody has. */
export const LOOK_FURTHER = 'To find the cause: sudo pve-google-authenticator doctor';

/**
 * That it is not known, or of no use, what somebody has enrolled: this is not the same as nothing.
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

const HEADINGS = [
  ...['USER', 'FACTOR', 'NAME', 'ID', 'ADDED', 'LAST USED'],
  ...['CODES LEFT', 'LOCKED UNTIL', 'REMARKS'],
];

/**
 * A table of factors.
 *
 * @param views - what users have
 * @returns its lines; none when there is no factor
 */
export function factorTable(views: readonly UserView[]): string[] {
  const rows = views.flatMap((view) => view.factors.map((factor) => cells(view, factor)));
  if (rows.length === 0) {
    return [];
  }
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function cells({ user, lockedUntil }: UserView, factor: FactorView): string[] {
  const { kind, name, id, added, lastUsed, codesLeft, paused } = factor;
  return [
    ...[user, kind, name, id, minute(added), lastUsed === null ? 'never' : minute(lastUsed)],
    ...[codesLeft === undefined ? '-' : String(codesLeft), lockedUntil === null ? '-' : minute(lockedUntil)],
    paused ? 'paused' : '',
  ];
}
