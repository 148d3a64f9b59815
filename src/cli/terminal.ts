import type { Drawing, QrMode } from './qr.ts';

/** What the result is shown on; undefined: a pipe or a file. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Whether it takes colours, and may have them (NO_COLOR, see no-color.org). */
  readonly colours: boolean;
}

/** The prompt stands below what is drawn. */
const PROMPT_ROWS = 1;

/**
 * The terminal that standard output is.
 *
 * @returns the terminal, or undefined
 */
export function processTerminal(): Terminal | undefined {
  const { stdout, env } = process;
  if (!stdout.isTTY) {
    return undefined;
  }
  return {
    columns: stdout.columns,
    rows: stdout.rows,
    colours: (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  };
}

/**
 * How QR codes are drawn when nothing is said: small, and on a terminal with colours so that its own do not matter.
 *
 * @param terminal - where
 * @returns the mode
 */
export function usualMode(terminal: Terminal | undefined): QrMode {
  return terminal?.colours === true ? 'UTF8_GREY' : 'UTF8';
}

/**
 * Whether a drawing can be seen as a whole, with a prompt below it.
 *
 * @param drawing - what is drawn
 * @param terminal - where; a pipe takes anything
 * @returns whether it fits
 */
export function fits({ lines, width }: Drawing, terminal: Terminal | undefined): boolean {
  return terminal === undefined || (width <= terminal.columns && lines.length + PROMPT_ROWS <= terminal.rows);
}
