import { readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';

/** Texts of files by name; null: there was no such file. Secrets. */
export type FileTexts = Readonly<Record<string, string | null>>;

const OWNER_ONLY = 0o600;
const FORMAT = 1;

/** Keeps a copy of the last files that could be used, for the time when they cannot be read. */
export interface LastGood {
  /** @returns the copy, or undefined: there is none that can be used */
  load(): FileTexts | undefined;

  /**
   * Keeps a copy. A copy that cannot be kept is no reason to refuse anybody: it is tried again with the next change.
   *
   * @param texts - all files
   */
  keep(texts: FileTexts): void;
}

/**
 * A copy in the daemon's own state directory: only root and the daemon, who knows all factors anyway, get at it.
 *
 * @param path - of the file that holds it, mode 0600
 * @returns who keeps it
 */
export function lastGoodIn(path: string): LastGood {
  let next: FileTexts | undefined;
  let writing = false;
  const writeAll = async (): Promise<void> => {
    writing = true;
    while (next !== undefined) {
      const texts = next;
      next = undefined;
      await write(path, JSON.stringify({ format: FORMAT, files: texts })).catch(() => undefined);
    }
    writing = false;
  };
  return {
    load: () => load(path),
    keep: (texts) => {
      next = texts;
      if (!writing) {
        void writeAll();
      }
    },
  };
}

function load(path: string): FileTexts | undefined {
  try {
    const parsed = JSON.parse(readFileSync(path, 'utf8')) as { format?: unknown; files?: FileTexts };
    return parsed.format === FORMAT ? parsed.files : undefined;
  } catch {
    return undefined;
  }
}

async function write(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', OWNER_ONLY);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
