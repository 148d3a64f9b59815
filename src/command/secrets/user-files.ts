import type { PasswdEntry } from '../../host/addon.ts';
import {
  createFileAs,
  LARGEST_FILE,
  readFileAs,
  replaceFileAs,
  setFileAsideAs,
  type FileRead,
  type FileState,
  type FileTrouble,
  type FileUser,
} from '../../host/user-files.ts';
import { CommandError } from '../session/control-client.ts';

/** The default file of pam_google_authenticator. */
export const USUAL_FILE = '~/.google_authenticator';
/** How long a file system may take for one file, in milliseconds. */
const DEADLINE_MS = 5_000;
/** The most hanging file systems to wait for, because each keeps a thread busy. */
const MAX_HUNG = 8;
const PERMISSIONS = 0o777;
const WRITABLE_BY_OTHERS = 0o022;
const READABLE_BY_OTHERS = 0o044;

/** A file could not be read or written. The message says which, why, and what to do. */
export class UserFileError extends Error {
  /** @param message - for the person at the command */
  constructor(message: string) {
    super(message);
    this.name = 'UserFileError';
  }
}

/** A file as its user sees it. */
export interface UserFile {
  /** The user whose rights are used to read and write it. */
  readonly user: FileUser;
  readonly path: string;
}

/** A file that was read. */
export interface FoundFile extends UserFile {
  readonly contents: Buffer;
  /** Whether others than its user may read it. */
  readonly readableByOthers: boolean;
}

/**
 * The file of a user.
 *
 * @param spec - as the module's option `secret=` says it: with `~`, `${HOME}` and `${USER}`
 * @param user - whose file
 * @param as - the user whose rights are used to read and write it
 * @returns the file
 * @throws UserFileError when that is no path
 */
export function fileOf(spec: string, user: PasswdEntry, as: PasswdEntry): UserFile {
  const path = spec
    .replace(/^~(?=\/)/, () => user.home)
    .replaceAll('${HOME}', () => user.home)
    .replaceAll('${USER}', () => user.name);
  if (!path.startsWith('/') || path.endsWith('/') || path.includes('\0') || user.name.includes('/')) {
    throw new UserFileError(`${JSON.stringify(path)} is not the absolute path of a file`);
  }
  return { user: { user: as.name, uid: as.uid, gid: as.gid }, path };
}

/** The files of users, read and written with the rights of each. */
export class UserFiles {
  /** The number of file systems that did not answer. */
  #hung = 0;

  /**
   * Reads a file that could let somebody in: it belongs to its user, and nobody else may write it.
   *
   * @param file - which
   * @returns the file, or undefined when there is none
   * @throws UserFileError when it cannot be read, or others could have written it
   */
  async read(file: UserFile): Promise<FoundFile | undefined> {
    const result: FileRead = await this.#within(file, readFileAs(file.user, file.path, LARGEST_FILE));
    switch (result.kind) {
      case 'read':
        assertTrusted(file, result.file);
        return {
          ...file,
          contents: result.contents,
          readableByOthers: (result.file.mode & READABLE_BY_OTHERS) !== 0,
        };
      case 'missing':
        return undefined;
      case 'unfit':
      case 'failed':
        throw troubleWith(file, 'read', result);
    }
  }

  /**
   * Renames a file, if it is still what was read.
   *
   * @param file - as it was read
   * @param newName - in its directory
   * @returns how it ended: `exists` when something has that name
   * @throws UserFileError when it cannot be renamed
   */
  async setAside(file: FoundFile, newName: string): Promise<'set-aside' | 'exists' | 'changed'> {
    const { user, path, contents } = file;
    const result = await this.#within(file, setFileAsideAs(user, path, contents, newName));
    switch (result.kind) {
      case 'set-aside':
      case 'exists':
      case 'changed':
        return result.kind;
      case 'missing':
        return 'changed';
      case 'unfit':
      case 'failed':
        throw troubleWith(file, 'renamed', result);
    }
  }

  /**
   * Makes a file where there is none.
   *
   * @param file - which
   * @param contents - its new contents
   * @returns whether it was made; false: something has that name
   * @throws UserFileError when it cannot be made
   */
  async create(file: UserFile, contents: Buffer): Promise<boolean> {
    const result = await this.#within(file, createFileAs(file.user, file.path, contents));
    switch (result.kind) {
      case 'created':
      case 'exists':
        return result.kind === 'created';
      case 'missing':
        throw new UserFileError(`${file.path} cannot be written: there is no such directory`);
      case 'unfit':
      case 'failed':
        throw troubleWith(file, 'written', result);
    }
  }

  /**
   * Replaces a file that was written before.
   *
   * @param file - which
   * @param expected - its expected contents
   * @param contents - its new contents
   * @throws UserFileError when it holds something else, or cannot be written
   */
  async replace(file: UserFile, expected: Buffer, contents: Buffer): Promise<void> {
    const result = await this.#within(file, replaceFileAs(file.user, file.path, expected, contents));
    switch (result.kind) {
      case 'replaced':
        return;
      case 'changed':
      case 'missing':
        throw new UserFileError(`${file.path} was changed by another program meanwhile`);
      case 'unfit':
      case 'failed':
        throw troubleWith(file, 'written', result);
    }
  }

  async #within<T>({ path }: UserFile, work: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
    });
    const result = await Promise.race([work.then((value) => ({ value })), deadline]);
    clearTimeout(timer);
    if (result !== undefined) {
      return result.value;
    }
    this.#hung += 1;
    if (this.#hung >= MAX_HUNG) {
      throw new CommandError(
        'ERR_HUNG',
        `${MAX_HUNG} file systems do not answer, the last one for ${path}: is a file server down? Stopped here; run it again later.`,
      );
    }
    throw new UserFileError(`${path}: its file system does not answer: try again when it does`);
  }
}

function assertTrusted({ user, path }: UserFile, { uid, mode }: FileState): void {
  if (uid !== user.uid) {
    throw new UserFileError(
      `${path} belongs to uid ${uid}, not to ${user.user} (uid ${user.uid}): chown it if its contents are right`,
    );
  }
  if ((mode & WRITABLE_BY_OTHERS) !== 0) {
    const octal = (mode & PERMISSIONS).toString(8).padStart(4, '0');
    throw new UserFileError(
      `${path} can be written by others (mode ${octal}): check its contents, then chmod 0600 it`,
    );
  }
}

function troubleWith(
  { path, user }: UserFile,
  what: 'read' | 'renamed' | 'written',
  trouble: Exclude<FileTrouble, { kind: 'missing' }>,
): UserFileError {
  if (trouble.kind === 'unfit') {
    const why = {
      'not-regular': 'it is not a regular file',
      empty: 'it is empty',
      'too-large': `it is larger than ${LARGEST_FILE} bytes`,
    }[trouble.why];
    return new UserFileError(`${path} cannot be ${what}: ${why}`);
  }
  return new UserFileError(`${path} cannot be ${what} by ${user.user}: ${trouble.step}: ${trouble.code}`);
}
