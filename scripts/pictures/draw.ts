import { textOf, type Cell, type Screen } from './screen.ts';

/* Draws recorded screens as an animated SVG. Viewers without animation show the last screen. */

/** A moment of the recording. */
export interface Frame {
  readonly screen: Screen;
  /** How long it is shown. */
  readonly seconds: number;
}

const CELL = { width: 8.4, height: 18 };
const MARGIN = 14;
const BAR = 28;
const BASELINE = 13.5;
const INK = '#e6e6e6';
/** Characters that are drawn as shapes, because fonts leave gaps between them. */
const BLOCKS: Readonly<Record<string, readonly [upper: boolean, lower: boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
};

/**
 * Draws a recording.
 *
 * @param title - the description for screen readers, and the window's title
 * @param columns - of the terminal
 * @param frames - in their order
 * @returns an SVG document
 */
export function draw(title: string, columns: number, frames: readonly Frame[]): string {
  const rows = Math.max(...frames.map(({ screen }) => screen.length));
  const width = Math.round(columns * CELL.width + 2 * MARGIN);
  const height = BAR + rows * CELL.height + 2 * MARGIN;
  const drawn = frames.map(
    ({ screen }, at) =>
      `<g class="frame" id="frame${at}" transform="translate(${MARGIN} ${BAR + MARGIN})">\n${drawScreen(screen).join('\n')}\n</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escape(title)}</title>
<style>
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: ${INK}; white-space: pre; }
.bold { font-weight: bold; }
.frame { visibility: hidden; }
#frame${frames.length - 1} { visibility: visible; }
${animation(frames)}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#1e1e1e"/>
<rect width="${width}" height="${BAR}" rx="8" fill="#333333"/>
<text x="${width / 2}" y="19" text-anchor="middle" style="font-family: system-ui, sans-serif; font-size: 13px">${escape(title)}</text>
${drawn.join('\n')}
</svg>
`;
}

/**
 * The text of the drawn frames, line by line, as {@link draw} wrote it.
 *
 * @param svg - what it drew
 * @returns the lines of each frame
 */
export function linesOf(svg: string): string[][] {
  return [...svg.matchAll(/<g class="frame"[^>]*>([^]*?)<\/g>/g)].map(([, frame]) => {
    const lines = new Map<string, string>();
    for (const [, x, y, text] of frame!.matchAll(/<text x="([0-9.]+)" y="([0-9.]+)"[^>]*>([^<]*)<\/text>/g)) {
      const column = Math.round(Number(x) / CELL.width);
      lines.set(y!, (lines.get(y!) ?? '').padEnd(column) + unescape(text!));
    }
    return [...lines.values()];
  });
}

/**
 * The text of a screen in the same form: without blank lines, trailing blanks, and drawn characters.
 *
 * @param screen - that was recorded
 * @returns its lines of text
 */
export function textLines(screen: Screen): string[] {
  return screen
    .map((line) =>
      textOf(line.map((cell) => (cell.character in BLOCKS ? { ...cell, character: ' ' } : cell))),
    )
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

function animation(frames: readonly Frame[]): string {
  const whole = frames.reduce((sum, { seconds }) => sum + seconds, 0);
  let past = 0;
  const rules = frames.map(({ seconds }, at) => {
    const from = ((100 * past) / whole).toFixed(2);
    past += seconds;
    const to = ((100 * past) / whole).toFixed(2);
    const before = at === 0 ? '' : `0% { visibility: hidden; } `;
    const after = at === frames.length - 1 ? '' : ` ${to}% { visibility: hidden; }`;
    return `@keyframes show${at} { ${before}${from}% { visibility: visible; }${after} }
#frame${at} { animation: show${at} ${whole}s step-end infinite; }`;
  });
  return `@media (prefers-reduced-motion: no-preference) {\n${rules.join('\n')}\n}`;
}

function drawScreen(screen: Screen): string[] {
  const areas = new Map<string, string>();
  for (const [row, line] of screen.entries()) {
    for (const { value, path } of grounds(line, row * CELL.height)) {
      areas.set(value, (areas.get(value) ?? '') + path);
    }
  }
  return [
    ...[...areas].map(([fill, path]) => `<path fill="${fill}" shape-rendering="crispEdges" d="${path}"/>`),
    ...screen.flatMap((line, row) => texts(line, row * CELL.height + BASELINE)),
  ];
}

/** Areas of one colour: backgrounds, and half cells of block characters. */
function grounds(line: readonly Cell[], top: number): { value: string; path: string }[] {
  const half = CELL.height / 2;
  return [0, 1].flatMap((part) => {
    const colours = line.map(({ character, ink, ground }) =>
      BLOCKS[character]?.[part] === true ? (ink ?? INK) : ground,
    );
    return runs(colours).map(({ value, at, length }) => ({
      value,
      path: `M${round(at * CELL.width)} ${top + part * half}h${round(length * CELL.width)}v${half}H${round(at * CELL.width)}z`,
    }));
  });
}

function texts(line: readonly Cell[], baseline: number): string[] {
  const looks = line.map(({ character, ink, bold }) =>
    character in BLOCKS ? undefined : `${bold ? 'bold' : ''}|${ink ?? ''}`,
  );
  return runs(looks).flatMap(({ value, at, length }) => {
    const raw = textOf(line.slice(at, at + length));
    const text = raw.trim();
    if (text === '') {
      return [];
    }
    const column = at + raw.indexOf(text);
    const [weight, ink] = value.split('|');
    const style = `${weight === 'bold' ? ' class="bold"' : ''}${ink === '' ? '' : ` style="fill: ${ink!}"`}`;
    return [
      `<text x="${round(column * CELL.width)}" y="${baseline}" textLength="${round(text.length * CELL.width)}"${style}>${escape(text)}</text>`,
    ];
  });
}

/** Merges equal neighbours; undefined ones are left out. */
function runs(values: readonly (string | undefined)[]): { value: string; at: number; length: number }[] {
  const found: { value: string; at: number; length: number }[] = [];
  values.forEach((value, at) => {
    const last = found.at(-1);
    if (last !== undefined && last.value === value && last.at + last.length === at) {
      last.length += 1;
    } else if (value !== undefined) {
      found.push({ value, at, length: 1 });
    }
  });
  return found;
}

const round = (number: number): number => Math.round(number * 10) / 10;

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function unescape(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
