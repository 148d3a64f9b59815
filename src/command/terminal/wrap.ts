import type { Output } from './output.ts';

/** A command stays whole, up to its quote or to the end of the text: a broken one cannot be copied. */
const UNITS =
  /"[^"]*"\S*|(?:sudo )?(?:pve-google-authenticator|pve-authenticator-undo|systemctl|journalctl|apt-get) .*$|\S+/g;

/**
 * A text for a terminal: broken between words only, and never in a URL or a command. In a pipe it stays one line, for programs.
 *
 * @param output - where it goes
 * @param text - one line
 * @param hang - what further lines begin with
 * @returns the lines
 */
export function wrapped(
  { terminal }: Pick<Output, 'terminal'>,
  text: string,
  hang = '  ',
): readonly string[] {
  if (terminal === undefined || text.length <= terminal.columns) {
    return [text];
  }
  const [start = ''] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = '';
  for (const [unit] of text.matchAll(UNITS)) {
    const begun = line === '' ? `${lines.length === 0 ? start : hang}${unit}` : `${line} ${unit}`;
    if (line !== '' && begun.length > terminal.columns) {
      lines.push(line);
      line = `${hang}${unit}`;
    } else {
      line = begun;
    }
  }
  return [...lines, line];
}
