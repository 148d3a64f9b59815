import type { Counts } from './chaos.ts';
import type { Sample } from './house.ts';
import type { Sort, Tally } from './tally.ts';

const SHOWN_FINDINGS = 10;
const SORTS: readonly Sort[] = [
  'let in',
  'refused',
  'cut off by a kill',
  'not to be checked: disk full',
  'no daemon for 5 s',
];

/** The resources of a daemon in one part of the time. */
export interface Part {
  /** Median of its resident memory in MiB. */
  readonly mib: number;
  /** The least and the most descriptors. */
  readonly least: number;
  readonly most: number;
}

/**
 * Sums up samples.
 *
 * @param samples - in their order
 * @param ms - how long a part is
 * @returns the parts; the last one may be short, and is left out if it has hardly begun
 */
export function partsOf(samples: readonly Sample[], ms: number): Part[] {
  const count = Math.round((samples.at(-1)?.at ?? 0) / ms);
  return Array.from({ length: count }, (_, index) => {
    const within = samples.filter(({ at }) => Math.floor(at / ms) === index);
    const mib = within.map((sample) => sample.mib).sort((a, b) => a - b);
    const descriptors = within.map((sample) => sample.descriptors);
    return {
      mib: mib[Math.floor(mib.length / 2)] ?? NaN,
      least: Math.min(...descriptors),
      most: Math.max(...descriptors),
    };
  });
}

/**
 * The events and logins of a daemon, as text.
 *
 * @param title - which daemon
 * @param counts - its events
 * @param tally - its logins
 * @returns lines
 */
export function describeLogins(title: string, counts: Counts, tally: Tally): string[] {
  const befell = [...counts].sort().map(([what, count]) => `${count} x ${what}`);
  const rows = [...tally.counts]
    .sort()
    .map(([kind, ends]) => [kind, ...SORTS.map((sort) => ends.get(sort) ?? 0)]);
  return [
    '',
    `${title}: ${tally.logins} logins, the longest took ${tally.longest} ms`,
    `  befell it: ${befell.join(', ') || 'nothing'}`,
    ...[['', ...SORTS], ...rows, ['all', ...SORTS.map((sort) => tally.of(sort))]].map(row),
    `  either was right for ${tally.undecided}: their code was typed before in a login that was cut off, or the clock jumped meanwhile`,
    `  should have worked and did not: ${tally.faults('should have worked and did not')}`,
    `  should not have worked and did: ${tally.faults('should not have worked and did')}`,
    ...tally.findings.slice(0, SHOWN_FINDINGS).map(({ fault, what }) => `    ${fault}: ${what}`),
  ];
}

/**
 * The resources of a daemon over time, as text.
 *
 * @param title - of what
 * @param parts - of {@link partsOf}
 * @param ms - how long a part is
 * @returns lines
 */
export function describeParts(title: string, parts: readonly Part[], ms: number): string[] {
  return [
    '',
    `${title}, in parts of ${Math.round(ms / 1000)} s`,
    ...[
      ['', 'resident memory, MiB (median)', 'descriptors, least', 'most'],
      ...parts.map(({ mib, least, most }, index) => [`part ${index + 1}`, mib.toFixed(1), least, most]),
    ].map(row),
  ];
}

function row(cells: readonly (string | number)[]): string {
  return `  ${cells.map((cell, index) => (index === 0 ? String(cell).padEnd(14) : String(cell).padStart(30))).join('')}`;
}
