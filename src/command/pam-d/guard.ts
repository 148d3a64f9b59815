import { whyUnsafe } from './faults.ts';
import { asksForPassword, MODULE } from './modules.ts';
import { allSteps, authSteps, baseName, type ReadService, type Step } from './stack.ts';

/* Where the module's line goes into a service file: pure text in, text out. */

/** Ends every line that is ours. scripts/pve-authenticator-undo looks for it, too. */
export const MARK = '# by pve-google-authenticator enable';
/** The largest service file, in bytes. */
export const LARGEST_SERVICE_FILE = 65_536;

/** How a service is guarded. */
export interface GuardOptions {
  /** Arguments of the module, for example `nullok`. */
  readonly arguments: readonly string[];
  /** Root gets in without a code. */
  readonly exemptRoot?: boolean;
}

/** The result of guarding a service. */
export type Guarded =
  | { readonly kind: 'changed'; readonly text: string }
  /** It already has our lines, just as they would be written. */
  | { readonly kind: 'unchanged' }
  /** A file that it includes has our lines. */
  | { readonly kind: 'covered'; readonly by: string }
  /** It cannot be done safely; the sentence says why, and what to do. */
  | { readonly kind: 'refused'; readonly why: string };

/**
 * The lines that guard a service.
 *
 * @param options - how
 * @returns the lines, without line ends
 */
export function guardLines({ arguments: words, exemptRoot = false }: GuardOptions): readonly string[] {
  const module = `auth       required     ${[MODULE, ...words].join(' ')} ${MARK}`;
  return exemptRoot
    ? [
        `auth       [success=1 default=ignore] pam_succeed_if.so quiet uid = 0 ${MARK}`,
        module,
        // A jump needs a line to land on; otherwise it counts as a failure.
        `auth       [default=ignore] pam_permit.so ${MARK}`,
      ]
    : [module];
}

/**
 * Our lines in a service file.
 *
 * @param text - its contents
 * @returns the lines that end with our mark
 */
export function markedLines(text: string): readonly string[] {
  return text.split('\n').filter(isMarked);
}

/**
 * A service file without our lines.
 *
 * @param text - its contents
 * @returns the contents without the lines that end with our mark
 */
export function withoutMarkedLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => !isMarked(line))
    .join('\n');
}

function isMarked(line: string): boolean {
  return line.trimEnd().endsWith(MARK);
}

/**
 * Puts the module into a service, after the lines that ask for the password, and where nothing jumps over it.
 *
 * @param service - its name
 * @param text - contents of its file
 * @param options - how it is guarded
 * @param read - reads other files of pam.d, which it may include
 * @returns the new contents, or why not
 */
export function guardService(
  service: string,
  text: string,
  options: GuardOptions,
  read: ReadService,
): Guarded {
  const lines = guardLines(options);
  if (markedLines(text).join('\n') === lines.join('\n')) {
    return { kind: 'unchanged' };
  }
  const bare = withoutMarkedLines(text);
  const broken = whyBroken(service, bare.split('\n'));
  if (broken !== undefined) {
    return refused(broken);
  }
  const steps = authSteps(service, (name) => (name === service ? bare : read(name)));
  const twice = allSteps(steps).find(({ entry }) => baseName(entry.module) === MODULE);
  if (twice !== undefined) {
    if (twice.file !== service && markedLines(read(twice.file) ?? '').length > 0) {
      const unsafe = whyUnsafe(service, steps);
      return unsafe === undefined ? { kind: 'covered', by: twice.file } : refused(unsafe);
    }
    return refused(
      `/etc/pam.d/${twice.file} already names ${MODULE} in line ${twice.entry.line + 1}, which this command did not write: ` +
        'with a second line it would ask twice. Remove that line first, or leave it as it is.',
    );
  }
  const place = placeIn(service, steps);
  if (typeof place === 'string') {
    return refused(place);
  }
  const physical = bare.split('\n');
  physical.splice(place.line, 0, ...lines);
  const changed = physical.join('\n');
  const after = authSteps(service, (name) => (name === service ? changed : read(name)));
  const unsafe = whyUnsafe(service, after, steps);
  return unsafe === undefined ? { kind: 'changed', text: changed } : refused(unsafe);
}

/** Faults in the file's lines that make adding a line dangerous. */
function whyBroken(service: string, lines: readonly string[]): string | undefined {
  const path = `/etc/pam.d/${service}`;
  const returned = lines.findIndex((line) => line.endsWith('\r'));
  if (returned !== -1) {
    return (
      `${path}, line ${returned + 1}: the line ends with a carriage return, as Windows writes it, so PAM cannot find ` +
      `its module. Fix that first: sed -i 's/\\r$//' ${path}`
    );
  }
  const last = lines.findLastIndex((line) => !/^\s*(#|$)/.test(line));
  return /^[^#]*\\\s*$/.test(lines[last] ?? '')
    ? `${path}, line ${last + 1}: the line ends with a backslash, but no line follows. Remove the backslash first.`
    : undefined;
}

function refused(why: string): Guarded {
  return { kind: 'refused', why };
}

/** The line to insert ours before, or why there is no such place. */
function placeIn(service: string, steps: readonly Step[]): { readonly line: number } | string {
  const last = steps.findLastIndex(asksForPassword);
  if (last === -1) {
    return (
      `No line of /etc/pam.d/${service} asks for a password, so it is not clear where the code belongs. ` +
      `If an SSH key replaces the password, write the line yourself: auth required ${MODULE}. ` +
      'For how to do that safely: docs/guides/switch-on-and-off.md, "Key and code, without the password"'
    );
  }
  const before = beyondJumps(steps, endOfOwn(steps, last));
  if (typeof before !== 'number') {
    const { file, entry } = before;
    return (
      `/etc/pam.d/${file}, line ${entry.line + 1}: "${entry.control}" jumps past the end of the auth stack of ${service}: ` +
      'a login that jumps there is refused. Fix that first.'
    );
  }
  const own = steps[before - 1]?.own;
  return { line: own === undefined ? 0 : own.line + own.lines };
}

/** Index after the last step that comes from the same line of the service file. */
function endOfOwn(steps: readonly Step[], index: number): number {
  let end = index + 1;
  while (end < steps.length && steps[end]?.own === steps[index]?.own) {
    end += 1;
  }
  return end;
}

/**
 * The first index from `from` on that no step jumps over and that begins a line of the service file; or the step that jumps past
 * the end.
 */
function beyondJumps(steps: readonly Step[], from: number): number | Step {
  let before = from;
  for (const [index, step] of steps.entries()) {
    if (index >= before) {
      break;
    }
    const target = index + 1 + longestJump(step);
    if (target > steps.length) {
      return step;
    }
    if (target > before) {
      before = endOfOwn(steps, target - 1);
    }
  }
  return before;
}

/**
 * How many steps a step may jump over.
 *
 * @param step - of a stack
 * @returns the most; 0: none
 */
export function longestJump(step: Step): number {
  const jumps = [...step.entry.control.matchAll(/=(\d+)/g)].map(([, count]) => Number(count));
  return Math.max(0, ...jumps);
}
