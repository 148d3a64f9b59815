/** An effective line of a service file, as libpam reads it (pam.conf(5)). */
export interface Entry {
  /** Number of its first line in the file, from 0. */
  readonly line: number;
  /** How many lines it has: a backslash at the end continues one. */
  readonly lines: number;
  readonly type: 'auth' | 'account' | 'password' | 'session' | 'include';
  /** As written: `required`, `[success=1 default=ignore]`, `include`, `substack`; empty for `@include`. */
  readonly control: string;
  /** Path of the module, or name of the file that is included. */
  readonly module: string;
  readonly arguments: readonly string[];
  /** A dash in front: libpam does not log if the module is missing. */
  readonly mayBeMissing: boolean;
}

const ENTRY = /^(-?)(auth|account|password|session)\s+(\[(?:[^\]\\]|\\.)*\]|\S+)\s+(\S+)\s*(.*)$/i;
const INCLUDE = /^@include\s+(\S+)/;
/** Files that include files: as deep as libpam goes (its PAM_SUBSTACK_MAX_LEVEL). */
const DEEPEST = 16;

/**
 * Reads a service file.
 *
 * @param text - its contents
 * @returns the entries, in their order; comments and what libpam does not understand are left out
 */
export function parseStack(text: string): readonly Entry[] {
  const entries: Entry[] = [];
  const physical = text.split('\n');
  for (let line = 0; line < physical.length; line += 1) {
    const { text: whole, lines } = joined(physical.slice(line));
    const entry = entryOf(whole.trim());
    if (entry !== undefined) {
      entries.push({ ...entry, line, lines });
    }
    line += lines - 1;
  }
  return entries;
}

/**
 * The text of the first line, joined with the lines that a backslash continues it with. As in libpam, blanks may follow the
 * backslash, a comment always ends the line, and empty lines and comments between two parts are skipped.
 */
function joined(physical: readonly string[]): { readonly text: string; readonly lines: number } {
  let text = '';
  for (const [index, line] of physical.entries()) {
    if (index > 0 && /^\s*(#|$)/.test(line)) {
      continue;
    }
    const comment = line.indexOf('#');
    text += comment === -1 ? line.trimEnd() : line.slice(0, comment);
    if (comment !== -1 || !text.endsWith('\\')) {
      return { text, lines: index + 1 };
    }
    text = `${text.slice(0, -1)} `;
  }
  return { text, lines: physical.length };
}

function entryOf(line: string): Omit<Entry, 'line' | 'lines'> | undefined {
  const included = INCLUDE.exec(line);
  if (included !== null) {
    return { type: 'include', control: '', module: included[1] ?? '', arguments: [], mayBeMissing: false };
  }
  const match = ENTRY.exec(line);
  if (match === null) {
    return undefined;
  }
  const [, dash, type = '', control = '', module = '', rest = ''] = match;
  return {
    type: type.toLowerCase() as Entry['type'],
    control: control.toLowerCase(),
    module,
    arguments: rest.split(/\s+/).filter((word) => word !== ''),
    mayBeMissing: dash === '-',
  };
}

/** One step of the `auth` stack: a module that runs, or a whole substack, which counts as one. */
export interface Step {
  /** The entry of the service file that brings it. */
  readonly own: Entry;
  /** The entry itself, and the file that it stands in. */
  readonly entry: Entry;
  readonly file: string;
  /** The steps of a substack. */
  readonly inside: readonly Step[];
}

/** Reads the service file of a name; undefined if there is none. */
export type ReadService = (name: string) => string | undefined;

/**
 * The `auth` stack of a service, with everything that is included, in the order in which libpam runs it.
 *
 * @param service - its name
 * @param read - reads a file of pam.d
 * @returns the steps; none when there is no such file
 */
export function authSteps(service: string, read: ReadService): readonly Step[] {
  return stepsOf(service, read, undefined, 0);
}

function stepsOf(file: string, read: ReadService, own: Entry | undefined, depth: number): readonly Step[] {
  const text = depth > DEEPEST ? undefined : read(file);
  return parseStack(text ?? '').flatMap((entry): readonly Step[] => {
    const top = own ?? entry;
    if (entry.type === 'include' || (entry.type === 'auth' && entry.control === 'include')) {
      return stepsOf(baseName(entry.module), read, top, depth + 1);
    }
    if (entry.type !== 'auth') {
      return [];
    }
    const inside = entry.control === 'substack' ? stepsOf(baseName(entry.module), read, top, depth + 1) : [];
    return [{ own: top, entry, file, inside }];
  });
}

/**
 * The last part of a path.
 *
 * @param path - of a module, or of an included file
 * @returns its name
 */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * All steps, those inside of substacks too.
 *
 * @param steps - of a stack
 * @returns the steps in their order
 */
export function allSteps(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [step, ...allSteps(step.inside)]);
}

/**
 * The files that a service is made of: its own, and those that its stacks include.
 *
 * @param service - its name
 * @param read - reads a file of pam.d
 * @returns their names, its own first
 */
export function filesOf(service: string, read: ReadService): ReadonlySet<string> {
  const files = new Set<string>();
  const add = (name: string): void => {
    if (files.has(name) || files.size > 100) {
      return;
    }
    files.add(name);
    for (const { type, control, module } of parseStack(read(name) ?? '')) {
      if (type === 'include' || control === 'include' || control === 'substack') {
        add(baseName(module));
      }
    }
  };
  add(service);
  return files;
}
