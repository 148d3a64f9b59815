import { encode } from 'uqr';

/** The ways of drawing a QR code, by the names that google-authenticator gives them. */
export const QR_MODES = [
  'NONE',
  'ANSI',
  'ANSI_INVERSE',
  'ANSI_GREY',
  'UTF8',
  'UTF8_INVERSE',
  'UTF8_GREY',
] as const;
/**
 * `UTF8`: half blocks, two rows of modules in a line. `ANSI`: two blanks for a module. Both are drawn in the terminal's own colours, for
 * light writing on a dark ground; `_INVERSE` is for dark writing on a light ground; `_GREY` brings black and white along.
 */
export type QrMode = (typeof QR_MODES)[number];

/** A QR code, ready to be printed. */
export interface Drawing {
  readonly lines: readonly string[];
  /** Columns of a terminal that it takes. */
  readonly width: number;
}

/** Four modules of quiet zone: ISO/IEC 18004, section 5.3.8. */
const QUIET_ZONE = 4;
const RESET = '\x1b[0m';
const REVERSE = '\x1b[7m';
const BLACK_ON_WHITE = '\x1b[38;5;16;48;5;231m';
const WHITE_GROUND = '\x1b[48;5;231m';
const BLACK_GROUND = '\x1b[48;5;16m';

/**
 * Draws a text as a QR code, with its quiet zone.
 *
 * @param text - a secret, if it holds one
 * @param mode - how
 * @returns the drawing; none without lines
 */
export function drawQr(text: string, mode: QrMode): Drawing {
  if (mode === 'NONE') {
    return { lines: [], width: 0 };
  }
  const { data, size } = encode(text, { ecc: 'L', border: QUIET_ZONE });
  return mode.startsWith('UTF8')
    ? { lines: halfBlocks(data, mode), width: size }
    : { lines: data.map((row) => blanks(row, mode)), width: 2 * size };
}

/** Dark modules are drawn in dark writing, light ones in light writing. */
function halfBlocks(data: readonly (readonly boolean[])[], mode: QrMode): string[] {
  const inkIsDark = mode !== 'UTF8';
  const lines: string[] = [];
  for (let top = 0; top < data.length; top += 2) {
    const [upper = [], lower] = data.slice(top, top + 2);
    const line = upper
      .map((dark, column) => {
        // An odd number of rows leaves half a line, which is light.
        const below = lower?.[column] ?? false;
        return halfBlock(dark === inkIsDark, below === inkIsDark);
      })
      .join('');
    lines.push(mode === 'UTF8_GREY' ? `${BLACK_ON_WHITE}${line}${RESET}` : line);
  }
  return lines;
}

function halfBlock(upper: boolean, lower: boolean): string {
  return upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
}

function blanks(row: readonly boolean[], mode: QrMode): string {
  let line = '';
  let before: boolean | undefined;
  for (const dark of row) {
    if (dark !== before) {
      line += switchingTools(dark, mode);
      before = dark;
    }
    line += '  ';
  }
  return line + RESET;
}

function switchingTools(dark: boolean, mode: QrMode): string {
  if (mode === 'ANSI_GREY') {
    return dark ? BLACK_GROUND : WHITE_GROUND;
  }
  return dark === (mode === 'ANSI_INVERSE') ? REVERSE : RESET;
}
