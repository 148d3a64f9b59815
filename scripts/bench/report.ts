import type { Goal } from './goals.ts';
import { overall, type Results } from './measure.ts';

const LABEL_WIDTH = 26;
const FIGURE_WIDTH = 10;
const NAME_WIDTH = 50;

/**
 * Everything that was measured, as a table.
 *
 * @param results - by label
 * @returns lines
 */
export function table(results: Results): string[] {
  const rows = [...results].map(([label, rounds]) => {
    const { p50, p99, perSecond, cpu } = overall(rounds);
    return [label, p50.toFixed(0), p99.toFixed(0), perSecond.toFixed(0), cpu?.toFixed(0) ?? ''];
  });
  return [['', 'p50 us', 'p99 us', 'logins/s', 'cpu us'], ...rows].map(([label = '', ...figures]) =>
    [label.padEnd(LABEL_WIDTH), ...figures.map((figure) => figure.padStart(FIGURE_WIDTH))].join('').trimEnd(),
  );
}

/**
 * The goals, as lines.
 *
 * @param all - the goals
 * @returns lines
 */
export function verdicts(all: readonly Goal[]): string[] {
  return all.map(({ name, value, atMost: most, atLeast: least, reachFor, met }) => {
    const sign = most === undefined ? '>=' : '<=';
    const wanted = `${sign} ${String(most ?? least)}${reachFor === undefined ? '' : ` (${reachFor})`}`;
    const figure = value === undefined ? 'not measured' : value.toFixed(2);
    const verdict = value === undefined ? '' : met ? 'met' : 'MISSED';
    return `${name.padEnd(NAME_WIDTH)}${figure.padStart(FIGURE_WIDTH)}  ${wanted.padEnd(16)}${verdict}`.trimEnd();
  });
}
