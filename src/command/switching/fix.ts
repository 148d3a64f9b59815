import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import type { Report } from '../doctor/check.ts';
import type { Machine } from '../doctor/machine.ts';
import type { Act, Argv, Remedy } from '../doctor/remedy.ts';
import { makeOwnDirectory, readOwnFile, replaceOwnFile, syncDirectory, writeDurably } from './durable.ts';
import { lock } from './enable.ts';
import type { Places } from './places.ts';
import {
  changedBetween,
  isSame,
  keeperIn,
  look,
  putFile,
  restore,
  setAccess,
  type Saved,
  type Touched,
} from './saved-files.ts';
import { SwitchError } from './switch-error.ts';

/** The changes that fixed a finding, and the state from before. */
export interface Fixed {
  /** When: milliseconds since 1970. */
  readonly when: number;
  readonly check: string;
  readonly what: string;
  readonly files: readonly {
    readonly before: Saved;
    /** null if it was interrupted. */
    readonly after: Saved | null;
  }[];
  /** Commands that undo effects outside of files. */
  readonly undo: readonly Argv[];
  readonly then: readonly Argv[];
}

/** The result of an undo. */
export interface Unfixed {
  readonly restored: readonly string[];
  /** Files that somebody has changed since; they stay. */
  readonly left: readonly string[];
  /** Programs that failed afterwards, with their output. */
  readonly failed: readonly string[];
}

const LARGEST_FILE = 1024 * 1024;
const MANIFEST = 'fixed.json';

function directoryOf({ state }: Places): string {
  return `${state}/fixes`;
}

/**
 * Applies a remedy. The files that it changes are saved durably first. They are restored at once if something fails, or if sshd
 * could no longer read its configuration.
 *
 * @param places - where
 * @param machine - runs programs
 * @param report - with its remedy
 * @param now - the time, in milliseconds since 1970
 * @returns what was changed
 * @throws SwitchError when it cannot be done; then everything is as it was
 */
export async function fix(
  places: Places,
  machine: Pick<Machine, 'run'>,
  { check, what, remedy }: Report & { readonly remedy: Remedy },
  now: number,
): Promise<Fixed> {
  makeOwnDirectory(places.state);
  const unlock = lock(places);
  try {
    const directory = nextDirectory(places);
    const made = `${directory}.new`;
    rmSync(made, { recursive: true, force: true });
    makeOwnDirectory(directoryOf(places));
    makeOwnDirectory(made);
    const touched = remedy.acts.flatMap(touchedBy);
    const before = look(touched, keeperIn(made));
    const undo = remedy.acts.flatMap((act) => (act.do === 'run' && act.undo !== undefined ? [act.undo] : []));
    const planned: Fixed = {
      when: now,
      check,
      what,
      undo,
      then: remedy.then ?? [],
      files: before.map((one) => ({ before: one, after: null })),
    };
    writeDurably(`${made}/${MANIFEST}`, JSON.stringify(planned));
    renameSync(made, directory);
    syncDirectory(directoryOf(places));
    try {
      await act(machine, remedy, touched);
    } catch (error) {
      for (const one of changedBetween(before, look(touched))) {
        restore(one.before, bytesIn(directory));
      }
      rmSync(directory, { recursive: true });
      throw error;
    }
    const fixed = { ...planned, files: changedBetween(before, look(touched)) };
    writeDurably(`${directory}/${MANIFEST}`, JSON.stringify(fixed));
    await runAll(machine, fixed.then).catch((error: unknown) => {
      throw error instanceof SwitchError
        ? new SwitchError(`It was changed, but then: ${error.message}`)
        : error;
    });
    return fixed;
  } finally {
    unlock();
  }
}

async function act(
  machine: Pick<Machine, 'run'>,
  { acts }: Remedy,
  touched: readonly Touched[],
): Promise<void> {
  const ofSshd = touched.some(({ path }) => path.startsWith('/etc/ssh/'));
  const wasReadable = ofSshd && (await machine.run('sshd', '-t')).status === 0;
  for (const one of acts) {
    await perform(machine, one);
  }
  const { status, stderr } = wasReadable ? await machine.run('sshd', '-t') : { status: 0, stderr: '' };
  if (status !== 0 && status !== null) {
    throw new SwitchError(`sshd could not read its configuration then, so it is as before: ${stderr.trim()}`);
  }
}

async function perform(machine: Pick<Machine, 'run'>, one: Act): Promise<void> {
  switch (one.do) {
    case 'write':
      write(one);
      return;
    case 'access':
      setAccess(one.path, one.access);
      return;
    case 'run':
      await runAll(machine, [one.argv]);
      return;
  }
}

function write({
  path,
  text,
  access = { uid: 0, gid: 0, mode: 0o644 },
}: Act & { readonly do: 'write' }): void {
  const file = readOwnFile(path, LARGEST_FILE);
  if (text === undefined) {
    rmSync(path, { force: true });
  } else if (file === undefined) {
    putFile(path, Buffer.from(text, 'latin1'), access);
  } else {
    replaceOwnFile(file, text);
  }
}

async function runAll(machine: Pick<Machine, 'run'>, argvs: readonly Argv[]): Promise<void> {
  for (const [program = '', ...argv] of argvs) {
    const { status, stderr } = await machine.run(program, ...argv);
    if (status !== 0) {
      throw new SwitchError(`${[program, ...argv].join(' ')}: ${stderr.trim() || 'it failed'}`);
    }
  }
}

function touchedBy(one: Act): readonly Touched[] {
  const paths = one.do === 'run' ? (one.touches ?? []) : [one.path];
  return paths.map((path) => ({ path, accessOnly: one.do === 'access' }));
}

/**
 * The fixes that can be undone, the newest first.
 *
 * @param places - where
 * @returns what was changed
 */
export function fixesOf(places: Places): readonly Fixed[] {
  return names(places)
    .map((name) => JSON.parse(readFileSync(`${directoryOf(places)}/${name}/${MANIFEST}`, 'utf8')) as Fixed)
    .reverse();
}

/**
 * Undoes the newest fix, to the byte. Files that somebody changed since are left alone.
 *
 * @param places - where
 * @param machine - runs programs
 * @returns what became of its files
 * @throws SwitchError when one cannot be put back; then it can be tried again
 */
export async function unfix(places: Places, machine: Pick<Machine, 'run'>): Promise<Unfixed> {
  const unlock = lock(places);
  try {
    const name = names(places).at(-1);
    const [fixed] = fixesOf(places);
    if (name === undefined || fixed === undefined) {
      return { restored: [], left: [], failed: [] };
    }
    const directory = `${directoryOf(places)}/${name}`;
    const [restored, left]: [string[], string[]] = [[], []];
    // Directories are made before their contents, and removed once they are empty.
    const made = fixed.files.filter(({ before }) => before.kind === 'absent');
    const others = fixed.files.filter(({ before }) => before.kind !== 'absent');
    for (const { before, after } of [...others, ...made.reverse()]) {
      const [now] = look([
        { path: before.path, accessOnly: before.kind !== 'absent' && before.digest === undefined },
      ]);
      if (now !== undefined && isSame(now, before)) {
        continue;
      }
      if (now !== undefined && after !== null && !isSame(now, after)) {
        left.push(before.path);
        continue;
      }
      restore(before, bytesIn(directory));
      restored.push(before.path);
    }
    rmSync(directory, { recursive: true });
    syncDirectory(directoryOf(places));
    const failed: string[] = [];
    for (const argv of [...fixed.undo, ...fixed.then]) {
      await runAll(machine, [argv]).catch((error: unknown) => {
        failed.push(error instanceof Error ? error.message : 'a program failed');
      });
    }
    return { restored, left, failed };
  } finally {
    unlock();
  }
}

function names(places: Places): readonly string[] {
  const directory = directoryOf(places);
  return existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => /^\d{6}$/.test(name))
        .sort()
    : [];
}

function nextDirectory(places: Places): string {
  const last = Number(names(places).at(-1) ?? 0);
  return `${directoryOf(places)}/${String(last + 1).padStart(6, '0')}`;
}

function bytesIn(directory: string): (digest: string) => Buffer {
  return (digest) => readFileSync(`${directory}/${digest}`);
}
