/*
 * test/e2e/sizes says which end-to-end tests each size of a run has. Every file has exactly one line there, so that
 * nobody adds one without saying how often it runs.
 */

/** The sizes, the smallest first. Each has the files of those before it. */
export const SIZES = ['default', 'all', 'full'] as const;
export type Size = (typeof SIZES)[number];

/**
 * Picks the files of a size.
 *
 * @param list - the text of test/e2e/sizes: `[SIZE]` lines, below them a file a line; `#` begins a comment
 * @param there - the files that there are, relative to test/e2e
 * @param size - which
 * @returns the files to run, in the order of the list
 * @throws Error that names every file without a line, every line without a file, and what stands there twice
 */
export function filesOf(list: string, there: readonly string[], size: Size): string[] {
  const { files, mistakes } = parse(list);
  for (const file of there) {
    if (!files.has(file)) {
      mistakes.push(`test/e2e/${file} has no size: add it to test/e2e/sizes`);
    }
  }
  for (const file of files.keys()) {
    if (!there.includes(file)) {
      mistakes.push(`test/e2e/sizes names ${file}, which is not there`);
    }
  }
  if (mistakes.length > 0) {
    throw new Error(mistakes.join('\n'));
  }
  const largest = SIZES.indexOf(size);
  return [...files].filter(([, its]) => SIZES.indexOf(its) <= largest).map(([file]) => file);
}

function parse(list: string): { files: Map<string, Size>; mistakes: string[] } {
  const files = new Map<string, Size>();
  const mistakes: string[] = [];
  let size: Size | undefined;
  for (const line of list.split('\n').map((text) => text.replace(/#.*/, '').trim())) {
    const [, title] = /^\[(.*)\]$/.exec(line) ?? [];
    if (title !== undefined) {
      size = SIZES.find((name) => name === title);
      if (size === undefined) {
        mistakes.push(`test/e2e/sizes: there is no size ${title}`);
      }
    } else if (line !== '') {
      if (files.has(line)) {
        mistakes.push(`test/e2e/sizes names ${line} twice`);
      }
      files.set(line, size ?? 'all');
    }
  }
  return { files, mistakes };
}
