import { longestJump } from '../pam-d/guard.ts';
import type { Entry, Step } from '../pam-d/stack.ts';
import { PAM } from './places.ts';
import { quoted, sedText } from './shell.ts';

/** A line of a service file. */
export interface PamLine {
  readonly file: string;
  readonly entry: Entry;
}

/** Does nothing, and keeps the jumps of others where they were. */
const NEUTRAL = 'auth [default=ignore] pam_permit.so';
/** Follows it; the line that was there comes after. scripts/pve-authenticator-undo looks for both, and puts the line back. */
const ASIDE = `${NEUTRAL} # put aside by pve-google-authenticator: `;
/** Says yes. Whoever comes to it has proven something above. */
export const YES = 'auth required pam_permit.so';

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

/**
 * Part of a script for sed: puts a line aside. It does nothing any more, others jump over it as before, and it is put back when nothing
 * asks for our code any more.
 *
 * @param entry - the line; if a backslash joins several, one is made of them
 * @returns the part
 */
export function aside(entry: Entry): string {
  if (entry.lines === 1) {
    return inLine(entry, '^', ASIDE);
  }
  const { mayBeMissing, type, control, module, arguments: words } = entry;
  const line = [`${mayBeMissing ? '-' : ''}${type}`, control, module, ...words].join(' ');
  return `${addressOf(entry)}c\\${sedText(`${ASIDE}${line}`)}`;
}

/**
 * Whether another step jumps over a step.
 *
 * @param steps - a stack
 * @param step - one of them, or one in a substack
 * @returns whether it does
 */
export function isJumpedOver(steps: readonly Step[], step: Step): boolean {
  const level = levelOf(steps, step);
  const at = level.indexOf(step);
  return level.some((other, index) => index < at && index + longestJump(other) >= at);
}

/** The stack, or substack, in which a step is. */
function levelOf(steps: readonly Step[], step: Step): readonly Step[] {
  return steps.includes(step)
    ? steps
    : (steps.map(({ inside }) => levelOf(inside, step)).find((level) => level.length > 0) ?? []);
}

/** The lines of the file that an entry takes. */
function addressOf({ line, lines }: Entry): string {
  return lines === 1 ? String(line + 1) : `${line + 1},${line + lines}`;
}
