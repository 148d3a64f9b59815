import { lstatSync, readFileSync } from 'node:fs';
import type { Act, Remedy } from '../doctor/remedy.ts';

/** The most lines of a difference that are shown. */
const MOST_LINES = 40;
/** The most files of one kind that are named. */
const MOST_FILES = 5;
/** A line of config.toml with a secret, which must not appear on the screen. */
const SECRET = /^(\s*key\s*=\s*).*/;

/**
 * The changes of a remedy, line by line.
 *
 * @param remedy - the remedy
 * @returns lines: each file with its changes
 */
export function remedyLines({ acts, then = [] }: Remedy): readonly string[] {
  const files = acts.filter(({ do: what }) => what === 'access');
  const shown = files.slice(0, MOST_FILES);
  return [
    ...acts.filter((act) => act.do !== 'access' || shown.includes(act)).flatMap(actLines),
    ...(files.length > shown.length
      ? [`and ${files.length - shown.length} more files, in the same way`]
      : []),
    ...then.map((argv) => `then run: ${argv.join(' ')}`),
  ];
}

function actLines(act: Act): readonly string[] {
  switch (act.do) {
    case 'run':
      return [`run: ${act.argv.join(' ')}`];
    case 'access': {
      const { uid, gid, mode } = act.access;
      return [`${act.path}: ${accessNow(act.path)} becomes owner ${uid}:${gid}, mode ${mode.toString(8)}`];
    }
    case 'write': {
      const now = textOf(act.path);
      if (act.text === undefined) {
        return now === undefined ? [] : [`remove ${act.path}`];
      }
      return [
        `${now === undefined ? 'create' : 'change'} ${act.path}:`,
        ...difference(now ?? '', act.text).map((line) => `  ${line}`),
      ];
    }
  }
}

function accessNow(path: string): string {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  return facts === undefined
    ? '(missing)'
    : `owner ${facts.uid}:${facts.gid}, mode ${(facts.mode & 0o7777).toString(8)}`;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

/**
 * The difference of two texts.
 *
 * @param before - one
 * @param after - the other
 * @returns removed lines with a minus and added lines with a plus, in their order
 */
export function difference(before: string, after: string): readonly string[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  // How many lines the remainders have in common.
  const common = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      common[i]?.fill(
        old[i] === now[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1)),
        j,
        j + 1,
      );
    }
  }
  const changed: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      [i, j] = [i + 1, j + 1];
    } else if (j >= now.length || (i < old.length && at(i + 1, j) >= at(i, j + 1))) {
      changed.push(`- ${masked(old[i++])}`);
    } else {
      changed.push(`+ ${masked(now[j++])}`);
    }
  }
  const more = changed.length - MOST_LINES;
  return more > 0 ? [...changed.slice(0, MOST_LINES), `and ${more} more lines`] : changed;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

function masked(line = ''): string {
  return line.replace(SECRET, '$1…');
}
