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
