import { assertInteger, assertText, LARGEST_UID } from './arguments.ts';
import { LONGEST_PATH } from './file-path.ts';
import { loadAddon } from './load-addon.ts';

/** The user as whom {@link readFileAs} and {@link replaceFileAs} access the file system. */
export interface FileUser {
  /** Canonical name: of the supplementary groups. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** Identifies a file or directory while it exists: decimal numbers, which may be larger than 2^53. */
export interface FileId {
  readonly dev: string;
  readonly ino: string;
}

/** Identifies a directory later. */
export interface DirectoryId extends FileId {
  /** Type and id of its file system (statfs(2)), in decimal: these outlive a reboot where the device's number does not. */
  readonly fileSystem: string;
  /** Whether names in it are encrypted: while the key is missing, none of them is there. */
  readonly encrypted: boolean;
}

/** The facts of stat(2) about a regular file. */
export interface FileState extends FileId {
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtimeNs: string;
}

/** No usable file was opened, so nothing was read or replaced. */
export type FileTrouble =
  | {
      /** There is no such file (ENOENT). */
      readonly kind: 'missing';
      /** The directory that would have it; null if that is missing, too. */
      readonly directory: DirectoryId | null;
      /** The name is there, as a symbolic link that leads nowhere. */
      readonly symlink: boolean;
    }
  | { readonly kind: 'unfit'; readonly why: 'not-regular' | 'empty' | 'too-large' }
  | {
      readonly kind: 'failed';
      /** `identity`: the process may not act as this user, or the passwd database has no such entry (code EPERM). */
      readonly step:
        | ('identity' | 'memory' | 'directory' | 'open' | 'stat' | 'read')
        | ('create' | 'write' | 'sync' | 'rename');
      /** The name of the errno value. */
      readonly code: string;
    };

/** How {@link readFileAs} ended. */
export type FileRead =
  | {
      readonly kind: 'read';
      /** The caller wipes it. */
      readonly contents: Buffer;
      readonly file: FileState;
      /** The directory that holds the name. */
      readonly directory: DirectoryId;
      /** The name is a symbolic link to the file. */
      readonly symlink: boolean;
    }
  | FileTrouble;

/** How {@link replaceFileAs} ended. */
export type FileReplaced =
  | { readonly kind: 'replaced'; readonly file: FileState; readonly directory: DirectoryId }
  /** The file differs from what was expected, or changed meanwhile. Nothing was written. */
  | { readonly kind: 'changed' }
  /** With `sync`, it may still have been replaced. */
  | FileTrouble;

/** How {@link createFileAs} ended. */
export type FileCreated =
  | { readonly kind: 'created' }
  /** Something has that name. Nothing was written. */
  | { readonly kind: 'exists' }
  /** With `sync`, it may still have been made. */
  | FileTrouble;

/** How {@link setFileAsideAs} ended. */
export type FileSetAside =
  | { readonly kind: 'set-aside' }
  /** Something has the new name. Nothing was renamed. */
  | { readonly kind: 'exists' }
  /** The file differs from what was expected, or changed meanwhile. Nothing was renamed. */
  | { readonly kind: 'changed' }
  /** With `sync`, it may still have been renamed. */
  | FileTrouble;

interface Addon {
  readFileAs(user: string, uid: number, gid: number, path: string, maxBytes: number): Promise<FileRead>;
  readPlainFile(path: string, maxBytes: number): Promise<FileRead>;
  replaceFileAs(
    user: string,
    uid: number,
    gid: number,
    path: string,
    maxBytes: number,
    expected: Uint8Array,
    contents: Uint8Array,
  ): Promise<FileReplaced>;
  createFileAs(
    user: string,
    uid: number,
    gid: number,
    path: string,
    maxBytes: number,
    contents: Uint8Array,
  ): Promise<FileCreated>;
  setFileAsideAs(
    user: string,
    uid: number,
    gid: number,
    path: string,
    maxBytes: number,
    expected: Uint8Array,
    newName: string,
  ): Promise<FileSetAside>;
}

/** The largest file that {@link readPlainFile} reads, in bytes: the limit of Proxmox VE's cluster file system. */
export const LARGEST_PLAIN_FILE = 1_048_576;
/** The largest file that {@link readFileAs} and {@link replaceFileAs} handle, in bytes. */
export const LARGEST_FILE = 65_536;

/**
 * Reads a small regular file as its user would: with uid, gid and groups of that user, and without privileges.
 *
 * It runs on a thread of its own, and takes the identity for this thread only. A file system that never answers (NFS,
 * FUSE) keeps the thread, and the promise open, for ever; nothing else waits for it, process.exit() neither. The caller must
 * limit how many hang at one moment, and how long to wait for an answer.
 *
 * While one is under way, the process must not change its own ids (setuid and its kin): glibc would have all threads do so, and
 * aborts if some of them are not allowed to.
 *
 * Symbolic links are followed, with the user's rights, but not those of /proc. Nothing but a regular file is ever opened.
 *
 * @param who only root can name another than itself. Name, uid and gid must be one entry of the passwd database
 * @param path absolute, at most 4095 bytes; it names something in a directory
 * @param maxBytes 1 to 65536; a longer file is `too-large`
 * @returns how it ended, also when it failed
 * @throws TypeError, RangeError for an argument that cannot work (at once, not as a rejection)
 * @throws Error with `code` (EAGAIN: no more threads …) and `syscall` (at once)
 */
export function readFileAs(who: FileUser, path: string, maxBytes: number): Promise<FileRead> {
  assertFileRequest(who, path, maxBytes);
  return load().readFileAs(who.user, who.uid, who.gid, path, maxBytes);
}

/**
 * Reads a file as the user of this process, on its own thread like {@link readFileAs}. No symbolic link is followed, neither of
 * the file nor of a directory on the way to it, and nothing but a regular file is ever opened.
 *
 * @param path absolute, at most 4095 bytes; it names something in a directory
 * @param maxBytes 1 to 1048576; a longer file is `too-large`
 * @returns how it ended, also when it failed; a symbolic link fails with ELOOP
 * @throws TypeError, RangeError for an argument that cannot work (at once, not as a rejection)
 * @throws Error with `code` (EAGAIN: no more threads …) and `syscall` (at once)
 */
export function readPlainFile(path: string, maxBytes: number): Promise<FileRead> {
  assertFilePath(path);
  assertInteger('maxBytes', maxBytes, 1, LARGEST_PLAIN_FILE);
  return load().readPlainFile(path, maxBytes);
}

/**
 * Replaces a small regular file as its user would, if it still has the expected contents. The new contents are
 * written to a new file beside it (`FILE~XXXXXX`, mode 0400, the user's own), synced, and renamed; the directory is synced,
 * too. After any error, the old file is untouched and the new one removed, except for an error `sync` after the rename. Within
 * this process, only one call at a time compares and replaces a file.
 *
 * Threads, identity and links are as with {@link readFileAs}; a symbolic link is replaced, not what it leads to.
 *
 * @param who as with {@link readFileAs}
 * @param path as with {@link readFileAs}
 * @param expected what the file holds, byte for byte: 1 to 65536 bytes
 * @param contents what it shall hold: 1 to 65536 bytes
 * @returns how it ended, also when it failed
 * @throws TypeError, RangeError, Error as {@link readFileAs}
 */
export function replaceFileAs(
  who: FileUser,
  path: string,
  expected: Uint8Array,
  contents: Uint8Array,
): Promise<FileReplaced> {
  assertFileRequest(who, path, LARGEST_FILE);
  assertBytes('expected', expected);
  assertBytes('contents', contents);
  return load().replaceFileAs(who.user, who.uid, who.gid, path, LARGEST_FILE, expected, contents);
}

/**
 * Makes a small regular file as its user would, where nothing has that name: mode 0400, synced, and its directory, too.
 *
 * Threads and identity are as with {@link readFileAs}.
 *
 * @param who as with {@link readFileAs}
 * @param path as with {@link readFileAs}
 * @param contents what it shall hold: 1 to 65536 bytes
 * @returns how it ended, also when it failed
 * @throws TypeError, RangeError, Error as {@link readFileAs}
 */
export function createFileAs(who: FileUser, path: string, contents: Uint8Array): Promise<FileCreated> {
  assertFileRequest(who, path, LARGEST_FILE);
  assertBytes('contents', contents);
  return load().createFileAs(who.user, who.uid, who.gid, path, LARGEST_FILE, contents);
}

/**
 * Renames a small regular file within its directory as its user would, to an unused name, if the file still has the
 * expected contents. Of a symbolic link the link is renamed. Afterwards it is durable.
 *
 * Threads and identity are as with {@link readFileAs}.
 *
 * @param who as with {@link readFileAs}
 * @param path as with {@link readFileAs}
 * @param expected what the file holds, byte for byte: 1 to 65536 bytes
 * @param newName without a slash
 * @returns how it ended, also when it failed
 * @throws TypeError, RangeError, Error as {@link readFileAs}
 */
export function setFileAsideAs(
  who: FileUser,
  path: string,
  expected: Uint8Array,
  newName: string,
): Promise<FileSetAside> {
  assertFileRequest(who, path, LARGEST_FILE);
  assertBytes('expected', expected);
  assertText('newName', newName);
  if (newName.includes('/')) {
    throw new RangeError(`newName contains a slash: ${newName}`);
  }
  return load().setFileAsideAs(who.user, who.uid, who.gid, path, LARGEST_FILE, expected, newName);
}

function assertFileRequest(who: FileUser, path: unknown, maxBytes: unknown): void {
  assertText('user', who.user);
  assertInteger('uid', who.uid, 0, LARGEST_UID);
  assertInteger('gid', who.gid, 0, LARGEST_UID);
  assertFilePath(path);
  assertInteger('maxBytes', maxBytes, 1, LARGEST_FILE);
}

function assertFilePath(path: unknown): void {
  assertText('path', path);
  if (!path.startsWith('/') || path.endsWith('/')) {
    throw new RangeError(`path must be absolute and name something in a directory: ${path}`);
  }
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new RangeError(`path has ${Buffer.byteLength(path)} bytes, at most ${LONGEST_PATH} can be`);
  }
}

function assertBytes(name: string, value: unknown): asserts value is Uint8Array {
  if (!(value instanceof Uint8Array))
    throw new TypeError(`${name} must be a Uint8Array, got ${typeof value}`);
  if (value.length < 1 || value.length > LARGEST_FILE) {
    throw new RangeError(`${name} must have 1 to ${LARGEST_FILE} bytes, got ${value.length}`);
  }
}

function load(): Addon {
  return loadAddon() as Addon;
}
