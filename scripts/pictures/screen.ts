/* A terminal's screen, as `tmux capture-pane -e -p -N` prints it. */

/** One character of the screen. */
export interface Cell {
  readonly character: string;
  /** Colour of the writing, `#rrggbb`; undefined: the terminal's own. */
  readonly ink: string | undefined;
  /** Colour behind it. */
  readonly ground: string | undefined;
  readonly bold: boolean;
}

/** Lines of cells, from the top. */
export type Screen = readonly (readonly Cell[])[];

type Look = Omit<Cell, 'character'>;

const PLAIN: Look = { ink: undefined, ground: undefined, bold: false };
/** The colours 0 to 7 of a terminal, then the bright ones. */
const BASIC = [
  ...['#000000', '#cd3131', '#0dbc79', '#e5e510', '#2472c8', '#bc3fbc', '#11a8cd', '#e5e5e5'],
  ...['#666666', '#f14c4c', '#23d18b', '#f5f543', '#3b8eea', '#d670d6', '#29b8db', '#ffffff'],
];
/** Steps of the colour cube, 16 to 231. */
const CUBE = [0, 95, 135, 175, 215, 255];
// eslint-disable-next-line no-control-regex -- escape sequences begin with a control character
const PIECES = /\x1b\[([0-9;]*)m|([^\x1b])/gu;

/**
 * Reads a captured screen.
 *
 * @param captured - with escape sequences for the colours
 * @returns its cells; blank lines at the end are left out
 */
export function readScreen(captured: string): Screen {
  let look = PLAIN;
  const lines = captured.split('\n').map((line) => {
    const cells: Cell[] = [];
    for (const [, codes, character = ''] of line.matchAll(PIECES)) {
      if (codes === undefined) {
        cells.push({ character, ...look });
      } else {
        look = lookAfter(codes, look);
      }
    }
    return cells;
  });
  while (lines.length > 0 && textOf(lines.at(-1)!).trim() === '') {
    lines.pop();
  }
  return lines;
}

/** @returns the characters of a line */
export function textOf(line: readonly Cell[]): string {
  return line.map(({ character }) => character).join('');
}

function lookAfter(codes: string, before: Look): Look {
  let look = before;
  const list = codes === '' ? [0] : codes.split(';').map(Number);
  for (let at = 0; at < list.length; at++) {
    const code = list[at]!;
    if (code === 38 || code === 48) {
      const [colour, taken] = extended(list.slice(at + 1));
      look = code === 38 ? { ...look, ink: colour } : { ...look, ground: colour };
      at += taken;
    } else {
      look = plainCode(code, look);
    }
  }
  return look;
}

function plainCode(code: number, look: Look): Look {
  if (code === 0) {
    return PLAIN;
  }
  if (code === 1 || code === 22) {
    return { ...look, bold: code === 1 };
  }
  if (code === 39 || code === 49) {
    return code === 39 ? { ...look, ink: undefined } : { ...look, ground: undefined };
  }
  const bright = code >= 90;
  const of = bright ? code - 60 : code;
  const colour = BASIC[(of % 10) + (bright ? 8 : 0)];
  return of >= 40 ? { ...look, ground: colour } : of >= 30 ? { ...look, ink: colour } : look;
}

/** What follows 38 or 48: the colour, and how many numbers say it. */
function extended([kind, ...rest]: readonly number[]): [colour: string | undefined, taken: number] {
  return kind === 2 ? [hex(rest.slice(0, 3)), 4] : [indexed(rest[0] ?? 0), 2];
}

function indexed(index: number): string {
  if (index < 16) {
    return BASIC[index]!;
  }
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return hex([grey, grey, grey]);
  }
  const inCube = index - 16;
  return hex([Math.floor(inCube / 36), Math.floor(inCube / 6) % 6, inCube % 6].map((step) => CUBE[step]!));
}

function hex(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
