import type { Drawing, QrMode } from './qr.ts';

/** What the result is shown on; undefined: a pipe or a file. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Whether it takes colours, and may have them (NO_COLOR, see no-color.org). */
  readonly colours: boolean;
  /** Whether it shows half blocks. */
  readonly utf8: boolean;
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
    utf8: takesUtf8(env),
  };
}

/**
 * Whether the locale is one of UTF-8. One that names no character set says nothing of the terminal, such as C over SSH: then it is.
 *
 * @param env - the environment; LC_ALL comes before LC_CTYPE, and that before LANG (locale(7))
 * @returns whether it is
 */
export function takesUtf8(env: NodeJS.ProcessEnv): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => (value ?? '') !== '') ?? '';
  const [, characters = 'UTF-8'] = /\.([^@]+)/.exec(locale) ?? [];
  return /^utf-?8$/i.test(characters);
}

/**
 * The default form of QR codes: small if the terminal can show that, and in fixed colours if it has colours.
 *
 * @param terminal - where
 * @returns the mode
 */
export function usualMode(terminal: Terminal | undefined): QrMode {
  const blocks = terminal?.utf8 === false ? 'ANSI' : 'UTF8';
  return terminal?.colours === true ? `${blocks}_GREY` : blocks;
}

/**
 * Whether a drawing fits the terminal completely, with a prompt below it.
 *
 * @param drawing - what is drawn
 * @param terminal - where; a pipe takes anything
 * @returns whether it fits
 */
export function fits({ lines, width }: Drawing, terminal: Terminal | undefined): boolean {
  return terminal === undefined || (width <= terminal.columns && lines.length + PROMPT_ROWS <= terminal.rows);
}
