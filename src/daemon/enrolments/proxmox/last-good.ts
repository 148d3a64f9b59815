import { readFileSync } from 'node:fs';

/** Texts of files by name; null for a missing file. They contain secrets. */
export type FileTexts = Readonly<Record<string, string | null>>;

/** The kept data. */
export interface Copy {
  /** The last usable texts. */
  readonly texts: FileTexts;
  /** Why later files could not be parsed. Users without a factor in the copy may have one there. */
  readonly doubts: Readonly<Record<string, string>>;
}

const OWNER_ONLY = 0o600;
const FORMAT = 1;

/** The schema of the file. Older versions wrote no doubts. */
interface Kept {
  readonly format: unknown;
  readonly files: FileTexts;
  readonly doubts: Copy['doubts'];
}

/** Keeps a copy of the last usable files, for times when they cannot be read. */
export interface LastGood {
  /** @returns the copy, or undefined if there is no usable one */
  load(): Copy | undefined;

  /**
   * Keeps a copy. If that fails, nobody is refused: the next call tries again.
   *
   * @param copy - all files; passing the same object again costs nothing once it is written
   */
  keep(copy: Copy): void;
}

/**
 * A copy in the daemon's own state directory: only root and the daemon can read it, and they know all factors anyway.
 *
 * @param path - of the file that holds it, mode 0600
 * @returns the keeper of the copy
 */
export function lastGoodIn(path: string): LastGood {
  let next: Copy | undefined;
  let written: Copy | undefined;
  let writing = false;
  const writeAll = async (): Promise<void> => {
    writing = true;
    while (next !== undefined) {
      const copy = next;
      next = undefined;
      if (copy === written) {
        continue;
      }
      const { texts: files, doubts } = copy;
      const done = write(path, JSON.stringify({ format: FORMAT, files, doubts }));
      written = await done.then(
        () => copy,
        () => undefined,
      );
    }
    writing = false;
  };
  return {
    load: () => (written = load(path)),
    keep: (copy) => {
      next = copy;
      if (!writing) {
        void writeAll();
      }
    },
  };
}

function load(path: string): Copy | undefined {
  try {
    const { format, files, doubts = {} } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Kept>;
    return format === FORMAT && files !== undefined ? { texts: files, doubts } : undefined;
  } catch {
    return undefined;
  }
}

async function write(path: string, text: string): Promise<void> {
  // Loaded with the first copy: a start does not wait for it.
  const { open, rename } = process.getBuiltinModule('node:fs/promises');
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
