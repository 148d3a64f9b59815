import { readFileSync, writeFileSync } from 'node:fs';

/* The chart of the benchmark. By hand: node build/bench/js/scripts/bench/chart.js build/bench.json FILE.svg */

/** The parts of build/bench.json that are drawn. */
export interface Figures {
  readonly machine: {
    readonly processors: number;
    readonly node: string;
    readonly base?: string | undefined;
  };
  readonly logins: Readonly<Record<string, { readonly p50: number; readonly perSecond: number }>>;
}

interface Bar {
  readonly name: string;
  readonly value: number;
  readonly fill: string;
}

const WIDTH = 760;
const NAMES = 300;
const VALUES = 80;
const ROW = 24;
const HEADING = 40;
const MARGIN = 16;

const FILLS = { ours: '#1b6ca8', base: '#9dbfd9', peer: '#d98f4e', floor: '#b5b5b5' } as const;

/** The contenders that are drawn, by service, with their names. */
const SERVICES: readonly (readonly [string, string, string])[] = [
  ['permit', 'pam_permit: libpam alone', FILLS.floor],
  ['nothing', 'a Node daemon that does nothing', FILLS.floor],
  ['base', 'pve-authenticator, before', FILLS.base],
  ['ours', 'pve-authenticator', FILLS.ours],
  ['ours-limited', 'pve-authenticator, throttled', FILLS.ours],
  ['google', 'pam_google_authenticator', FILLS.peer],
  ['google-limited', 'pam_google_authenticator, RATE_LIMIT', FILLS.peer],
];

const PANELS = [
  { of: 'totp', figure: 'p50', title: 'TOTP, one process: median of a login, µs (shorter is better)' },
  { of: 'hotp', figure: 'p50', title: 'HOTP, one process: median, µs' },
  { of: 'recovery', figure: 'p50', title: 'Recovery code, one process: median, µs' },
  { of: 'crowd', figure: 'perSecond', title: 'TOTP, 32 processes: logins a second (longer is better)' },
  { of: 'crowd-hotp', figure: 'perSecond', title: 'HOTP, 32 processes: logins a second' },
  { of: 'crowd-recovery', figure: 'perSecond', title: 'Recovery code, 32 processes: logins a second' },
] as const;

/**
 * Draws the figures as bars.
 *
 * @param figures - of one run
 * @returns an SVG document
 */
export function chart({ machine, logins }: Figures): string {
  const drawn: string[] = [];
  let y = MARGIN;
  for (const { of, figure, title } of PANELS) {
    const bars = SERVICES.flatMap(([service, name, fill]): Bar[] => {
      const value = logins[`${of}/${service}`]?.[figure];
      return value === undefined ? [] : [{ name, value, fill }];
    });
    if (bars.length > 0) {
      drawn.push(...panel(title, bars, y));
      y += HEADING + bars.length * ROW;
    }
  }
  const { processors, node, base } = machine;
  const foot = `${processors} processors, Node ${node}${base === undefined ? '' : `; before: ${base}`}`;
  drawn.push(text(MARGIN, y + ROW, foot, 'fill="#666"'));
  const height = y + ROW + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`,
    '  font-family="sans-serif" font-size="13">',
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

function panel(title: string, bars: readonly Bar[], top: number): string[] {
  const longest = Math.max(...bars.map(({ value }) => value));
  const room = WIDTH - NAMES - VALUES - MARGIN;
  return [
    text(MARGIN, top + ROW, title, 'font-weight="bold"'),
    ...bars.flatMap(({ name, value, fill }, index) => {
      const y = top + HEADING + index * ROW;
      const length = Math.max((value / longest) * room, 1).toFixed(1);
      return [
        text(MARGIN, y + ROW / 2, name),
        `<rect x="${NAMES}" y="${y - 2}" width="${length}" height="${ROW - 6}" fill="${fill}"/>`,
        text(NAMES + Number(length) + 6, y + ROW / 2, Math.round(value).toLocaleString('en')),
      ];
    }),
  ];
}

function text(x: number, y: number, words: string, more = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x.toFixed(1)}" y="${y}" ${more}>${safe}</text>`;
}

const [, self, from, to] = process.argv;
if (self?.endsWith('/chart.js') === true && from !== undefined && to !== undefined) {
  writeFileSync(to, chart(JSON.parse(readFileSync(from, 'utf8')) as Figures));
}
