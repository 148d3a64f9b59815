import { longestJump } from '../pam-d/guard.ts';
import type { Entry, Step } from '../pam-d/stack.ts';
import type { Machine } from './machine.ts';
import { PAM } from './places.ts';
import type { Remedy } from './remedy.ts';

/** A line of a service file. */
export interface PamLine {
  readonly file: string;
  readonly entry: Entry;
}

/** A change of some lines of a file. */
export interface LineEdit {
  /** The first of them, counted from 0 in the file as it is. */
  readonly at: number;
  /** How many lines; 0 to insert before that line. */
  readonly lines: number;
  /** The new lines. */
  readonly become: (lines: readonly string[]) => readonly string[];
}

/** A line without effect, which keeps the jumps of others correct. */
const NEUTRAL = 'auth [default=ignore] pam_permit.so';
/** The comment after it, followed by the original line. scripts/pve-authenticator-undo looks for both, and restores the line. */
const ASIDE = `${NEUTRAL} # put aside by pve-google-authenticator: `;
/** Grants access. It is reached only after a proof in a line above. */
export const YES = 'auth required pam_permit.so';

/**
 * The name of a line in a sentence.
 *
 * @param line - of a service file
 * @returns its place
 */
export function placeOf({ file, entry }: PamLine): string {
  return `${PAM}/${file}, line ${entry.line + 1}`;
}

/**
 * A remedy that edits a service file.
 *
 * @param machine - where the file is read
 * @param file - its name
 * @param edits - of lines that do not overlap
 * @returns the remedy; for a file outside /etc/pam.d, the command to edit it by hand
 */
export function edit(
  machine: Pick<Machine, 'read'>,
  file: string,
  ...edits: readonly LineEdit[]
): Remedy | string {
  const path = `${PAM}/${file}`;
  const text = machine.read(path)?.toString('latin1');
  return text === undefined ? byEditor(file) : { acts: [{ do: 'write', path, text: edited(text, edits) }] };
}

/**
 * The command to edit a service file by hand.
 *
 * @param file - its name
 * @returns the command
 */
export function byEditor(file: string): string {
  return `\${EDITOR:-vi} ${PAM}/${file}`;
}

function edited(text: string, edits: readonly LineEdit[]): string {
  const lines = text.split('\n');
  // Starts at the end, so that earlier line numbers stay valid.
  for (const { at, lines: count, become } of [...edits].sort((one, other) => other.at - one.at)) {
    lines.splice(at, count, ...become(lines.slice(at, at + count)));
  }
  return lines.join('\n');
}

/**
 * Replaces something in a line.
 *
 * @param entry - the line
 * @param pattern - the part to replace; a string is taken literally
 * @param text - the replacement
 * @returns the edit
 */
export function inLine(entry: Entry, pattern: string | RegExp, text: string): LineEdit {
  return ofEntry(entry, (lines) => lines.map((line) => line.replace(pattern, () => text)));
}

/**
 * Removes a line.
 *
 * @param entry - the line
 * @param jumpedOver - whether another line jumps over it; then a line without effect replaces it
 * @returns the edit
 */
export function without(entry: Entry, jumpedOver = false): LineEdit {
  return ofEntry(entry, () => (jumpedOver ? [NEUTRAL] : []));
}

/**
 * Replaces a line by others.
 *
 * @param entry - the line
 * @param lines - the new lines
 * @returns the edit
 */
export function instead(entry: Entry, lines: readonly string[]): LineEdit {
  return ofEntry(entry, () => lines);
}

/**
 * Inserts lines before a line.
 *
 * @param at - the number of that line, counted from 0
 * @param lines - the new lines
 * @returns the edit
 */
export function before(at: number, lines: readonly string[]): LineEdit {
  return { at, lines: 0, become: () => lines };
}

/**
 * Puts a line aside: it no longer has an effect, jumps over it stay correct, and it is restored when no service asks for our code
 * any more.
 *
 * @param entry - the line; lines joined by a backslash become one
 * @returns the edit
 */
export function aside(entry: Entry): LineEdit {
  const { mayBeMissing, type, control, module, arguments: words } = entry;
  const joined = [`${mayBeMissing ? '-' : ''}${type}`, control, module, ...words].join(' ');
  return ofEntry(entry, ([line = '']) => [`${ASIDE}${entry.lines === 1 ? line : joined}`]);
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

function ofEntry({ line, lines }: Entry, become: LineEdit['become']): LineEdit {
  return { at: line, lines, become };
}
