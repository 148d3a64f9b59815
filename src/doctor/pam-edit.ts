import type { Entry } from '../pam-d/stack.ts';
import { PAM } from './places.ts';
import { quoted, sedText } from './shell.ts';

/** A line of a service file. */
export interface PamLine {
  readonly file: string;
  readonly entry: Entry;
}

/** Does nothing, and keeps the jumps of others where they were. */
const NEUTRAL = 'auth [default=ignore] pam_permit.so';

/**
 * How a line is named in a sentence.
 *
 * @param line - of a service file
 * @returns its place
 */
export function placeOf({ file, entry }: PamLine): string {
  return `${PAM}/${file}, line ${entry.line + 1}`;
}

/**
 * A command that edits a service file.
 *
 * @param file - its name
 * @param script - for sed
 * @returns the command
 */
export function edit(file: string, ...script: readonly string[]): string {
  return `sed -i ${script.map((part) => `-e ${quoted(part)}`).join(' ')} ${PAM}/${file}`;
}

/**
 * Part of a script for sed: substitutes in a line, if it still names the module.
 *
 * @param entry - the line
 * @param pattern - what goes; a basic regular expression
 * @param text - what comes
 * @returns the part
 */
export function inLine(entry: Entry, pattern: string, text: string): string {
  return `${addressOf(entry)}s/${pattern}/${sedText(text)}/`;
}

/**
 * Part of a script for sed: takes a line out.
 *
 * @param entry - the line
 * @param jumpedOver - whether another line jumps over it: then something stays that does nothing
 * @returns the part
 */
export function without(entry: Entry, jumpedOver = false): string {
  return jumpedOver ? `${addressOf(entry)}c\\${NEUTRAL}` : `${addressOf(entry)}d`;
}

/** The lines of the file that an entry takes. */
function addressOf({ line, lines }: Entry): string {
  return lines === 1 ? String(line + 1) : `${line + 1},${line + lines}`;
}
