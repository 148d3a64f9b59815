import { asRoot } from './as-root.ts';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { SwitchError } from './switch-error.ts';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_DIRECTORY } = constants;

/** A file of root, with its state when it was read. */
export interface OwnFile {
  readonly path: string;
  /** Latin-1, so that each byte is a character and comes back as it was. */
  readonly text: string;
  readonly facts: Stats;
}

/**
 * Reads a file that only root can have written, without following a link.
 *
 * @param path - of the file
 * @param mostBytes - a larger file is refused
 * @returns the file; undefined if it does not exist
 * @throws SwitchError when it is no such file
 */
export function readOwnFile(path: string, mostBytes: number): OwnFile | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    switch (codeOf(error)) {
      case 'ENOENT':
        return undefined;
      case 'ELOOP':
        throw new SwitchError(
          `${path} is a symbolic link. Put the file itself in its place, then try again.`,
        );
      default:
        throw new SwitchError(`${path} cannot be read (${codeOf(error)})`);
    }
  }
  try {
    const facts = fstatSync(fd);
    if (!facts.isFile()) {
      throw new SwitchError(`${path} is not a file`);
    }
    if (facts.uid !== (process.geteuid?.() ?? 0) || (facts.mode & 0o022) !== 0) {
      throw new SwitchError(
        `Users other than root can write ${path}, and so could log in as anybody. To fix it: ${asRoot(`chown root: ${path} && chmod go-w ${path}`)}`,
      );
    }
    if (facts.size > mostBytes) {
      throw new SwitchError(`${path} has ${facts.size} bytes; a service file has at most ${mostBytes}`);
    }
    return { path, text: readFileSync(fd).toString('latin1'), facts };
  } finally {
    closeSync(fd);
  }
}

/**
 * Replaces a file atomically, if it is still as it was read. Mode and owner stay the same.
 *
 * @param file - as it was read
 * @param text - the new contents, Latin-1
 * @throws SwitchError when it was changed meanwhile, or cannot be written
 */
export function replaceOwnFile(file: OwnFile, text: string): void {
  const { path, facts } = file;
  // With a dot in front, PAM and others do not take it for a service.
  const temporary = `${dirname(path)}/.${path.slice(path.lastIndexOf('/') + 1)}.enable`;
  told(path, () => {
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      fchownSync(fd, facts.uid, facts.gid);
      fchmodSync(fd, facts.mode & 0o7777);
      writeFileSync(fd, text, 'latin1');
      fsyncSync(fd);
      const now = readOwnFile(path, Number.MAX_SAFE_INTEGER);
      if (now?.text !== file.text || now.facts.ino !== facts.ino) {
        throw new SwitchError(
          `${path} was changed by another program at this moment. Nothing was written; try again.`,
        );
      }
      renameSync(temporary, path);
    } finally {
      closeSync(fd);
      rmSync(temporary, { force: true });
    }
    syncDirectory(dirname(path));
  });
}

/**
 * Writes a file of our own, durably: its directory is synced, too.
 *
 * @param path - of the file, whose directory is there
 * @param text - the contents, Latin-1
 * @param mode - its permission bits
 * @throws SwitchError when it cannot be written
 */
export function writeDurably(path: string, text: string, mode = 0o600): void {
  told(path, () => {
    const temporary = `${path}.new`;
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      writeFileSync(fd, text, 'latin1');
      fchmodSync(fd, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  });
}

/**
 * Makes a directory for root alone, with those above it.
 *
 * @param path - of the directory
 * @throws SwitchError when it cannot be made
 */
export function makeOwnDirectory(path: string): void {
  told(path, () => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    try {
      mkdirSync(path, { mode: 0o700 });
      syncDirectory(dirname(path));
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') {
        throw error;
      }
      const fd = openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      try {
        const { uid, mode } = fstatSync(fd);
        if (uid !== (process.geteuid?.() ?? 0) || (mode & 0o022) !== 0) {
          throw new SwitchError(
            `${path} must be accessible to root only. To fix it: ${asRoot(`chown root: ${path} && chmod 700 ${path}`)}`,
          );
        }
      } finally {
        closeSync(fd);
      }
    }
  });
}

/**
 * Makes renames and removals in a directory durable.
 *
 * @param path - of the directory
 */
export function syncDirectory(path: string): void {
  const fd = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function told(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof SwitchError) {
      throw error;
    }
    throw new SwitchError(
      `${path} cannot be written (${codeOf(error)}): is its file system full or read-only?`,
    );
  }
}

/**
 * The code of an error of the operating system.
 *
 * @param error - what was thrown
 * @returns such as ENOENT
 */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
