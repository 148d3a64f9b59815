import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Who is at the other end of a Unix connection: what the kernel noted when that process called connect(). */
export interface Peer {
  /** 0 if the process lives in a PID namespace that we cannot see. */
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The running side of {@link acceptFrom}. */
export interface Acceptor {
  /** Stops accepting; clients queue in the kernel's backlog. A paused acceptor does not keep the process alive. */
  pause(): void;
  resume(): void;
  /** Stops for good and closes the listening file descriptor. Calling it again does nothing. */
  close(): void;
}

/** A connection that was accepted. */
export interface Connection {
  /**
   * Reads what has come, without waiting.
   *
   * @param into gets the bytes
   * @returns how many there are; 0: the other end has hung up, or the connection broke; undefined: nothing has come yet
   */
  receive(into: Uint8Array): number | undefined;
  /**
   * Sends without waiting.
   *
   * @returns whether the kernel took all of it. It does not when the other end is gone, or reads nothing for hundreds of kilobytes.
   */
  send(bytes: Uint8Array): boolean;
  /** Hangs up; what was sent still arrives. Calling it again does nothing. */
  close(): void;
}

/** One entry of the passwd database. */
export interface PasswdEntry {
  /** The canonical name: as the entry spells it, which need not be how it was asked for. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** Whom {@link readFileAs} and {@link replaceFileAs} are for the file system while they run. */
export interface FileUser {
  /** Canonical name: of the supplementary groups. */
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** A file or directory, as long as it is there: decimal numbers, which may be larger than 2^53. */
export interface FileId {
  readonly dev: string;
  readonly ino: string;
}

/** A directory, so that it can be known again. */
export interface DirectoryId extends FileId {
  /** Type and id of its file system (statfs(2)), in decimal: these outlive a reboot where the device's number does not. */
  readonly fileSystem: string;
  /** Whether names in it are encrypted: while the key is missing, none of them is there. */
  readonly encrypted: boolean;
}

/** What stat(2) says of a regular file. */
export interface FileState extends FileId {
  /** Permission bits, with set-uid, set-gid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtimeNs: string;
}

/** Nothing was opened that could be used: neither read nor replaced. */
export type FileTrouble =
  | {
      /** There is no such file (ENOENT). */
      readonly kind: 'missing';
      /** The directory that would hold it; null if that is missing as well. */
      readonly directory: DirectoryId | null;
      /** The name is there, as a symbolic link that leads nowhere. */
      readonly symlink: boolean;
    }
  | { readonly kind: 'unfit'; readonly why: 'not-regular' | 'empty' | 'too-large' }
  | {
      readonly kind: 'failed';
      /** `identity`: the process may not act as this user, or the passwd database knows other ids (code EPERM). */
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
  /** The file does not hold what was expected, or somebody changed it meanwhile. Nothing was written. */
  | { readonly kind: 'changed' }
  /** With `sync` it may have been replaced all the same. */
  | FileTrouble;

/** How {@link createFileAs} ended. */
export type FileCreated =
  | { readonly kind: 'created' }
  /** Something has that name. Nothing was written. */
  | { readonly kind: 'exists' }
  /** With `sync` it may be there all the same. */
  | FileTrouble;

/** How {@link setFileAsideAs} ended. */
export type FileSetAside =
  | { readonly kind: 'set-aside' }
  /** Something has the new name. Nothing was renamed. */
  | { readonly kind: 'exists' }
  /** The file does not hold what was expected, or somebody changed it meanwhile. Nothing was renamed. */
  | { readonly kind: 'changed' }
  /** With `sync` it may have been renamed all the same. */
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
  listenOn(path: string, mode: number, backlog: number): number;
  acceptFrom(
    fd: number,
    onConnection: (fd: number, peer: Peer) => void,
    onError: (code: string) => void,
  ): Acceptor;
  readonly Connection: new (fd: number, onReadable: () => void) => Connection;
  ringAfter(microseconds: number, onRing: () => void): void;
  lockExclusively(fd: number): boolean;
  lookUpUser(name: string): Promise<PasswdEntry | undefined>;
  lookUpUid(uid: number): Promise<PasswdEntry | undefined>;
  groupsOf(name: string, gid: number): Promise<string[]>;
  hardenProcess(): void;
}

/** What `sun_path` of unix(7) holds besides its final NUL. */
const LONGEST_SOCKET_PATH = 107;
const LARGEST_INT = 0x7fff_ffff;
/** The uid after it, (uid_t)-1, means "no uid" to the kernel. */
const LARGEST_UID = 0xffff_fffe;
/** PATH_MAX of Linux, without the final NUL. */
const LONGEST_PATH = 4095;

/** The largest file that {@link readPlainFile} reads, in bytes: what the cluster file system of Proxmox VE can hold. */
export const LARGEST_PLAIN_FILE = 1_048_576;
/** The largest file that {@link readFileAs} and {@link replaceFileAs} handle, in bytes. */
export const LARGEST_FILE = 65_536;

/**
 * Opens a Unix stream socket, non-blocking and close-on-exec, and listens on it. At no moment is its file open to
 * more people than `mode` says. A file that is already there is not replaced.
 *
 * @param path where its file appears: 1 to 107 bytes
 * @param mode permission bits of the file, such as 0o600; the umask does not change them
 * @param backlog how many connections the kernel queues (it cuts this to net.core.somaxconn)
 * @returns the file descriptor, which the caller owns
 * @throws TypeError, RangeError for an argument that cannot work
 * @throws Error with `code` (EADDRINUSE, EACCES, ENOENT …) and `syscall`
 */
export function listenOn(path: string, mode: number, backlog: number): number {
  assertText('path', path);
  if (Buffer.byteLength(path) > LONGEST_SOCKET_PATH) {
    throw new RangeError(
      `path has ${Buffer.byteLength(path)} bytes, a socket's path at most ${LONGEST_SOCKET_PATH}: ${path}`,
    );
  }
  assertInteger('mode', mode, 0, 0o777);
  assertInteger('backlog', backlog, 1, LARGEST_INT);
  return load().listenOn(path, mode, backlog);
}

/**
 * Accepts connections from a Unix socket that somebody, perhaps root, listens on already.
 *
 * Node's `server.listen({ fd })` will not do: it calls listen() once more, and from then on the clients see our
 * credentials (SO_PEERCRED) in place of those of the process that opened the socket; the PAM module demands uid 0
 * there. Nor can Node ask for the credentials of the client.
 *
 * @param fd the listening socket; from now on it belongs to the acceptor, unless this call throws
 * @param onConnection gets each connection (non-blocking, close-on-exec), which it owns: give it to {@link openConnection}, or
 *   wrap it in `new net.Socket({ fd })`. What it throws becomes an uncaught exception.
 * @param onError gets an error's code. After EMFILE, ENFILE, ENOBUFS or ENOMEM pause and resume later: the connection still
 *   waits, so the same error comes back at each turn of the event loop.
 * @throws TypeError, RangeError for an argument that cannot work
 * @throws Error with `code` (EBADF, ENOTSOCK, EINVAL: not listening, EAFNOSUPPORT: not a Unix socket …) and `syscall`
 */
export function acceptFrom(
  fd: number,
  onConnection: (fd: number, peer: Peer) => void,
  onError: (code: string) => void,
): Acceptor {
  assertInteger('fd', fd, 0, LARGEST_INT);
  assertFunction('onConnection', onConnection);
  assertFunction('onError', onError);
  return load().acceptFrom(fd, onConnection, onError);
}

/**
 * Serves a connection, with one system call to read and one to write: for messages that are short and of which one is under
 * way. A `net.Socket`, which has streams and buffers between, costs a login several times as much.
 *
 * @param fd a connection, non-blocking; from now on it belongs to the result, unless this call throws
 * @param onReadable is called at each turn of the event loop at which there is something to receive, also the end: after that
 *   close it. What it throws becomes an uncaught exception.
 * @throws TypeError, RangeError for an argument that cannot work
 * @throws Error with `code` (EBADF, EPERM: not a socket …) and `syscall`
 */
export function openConnection(fd: number, onReadable: () => void): Connection {
  assertInteger('fd', fd, 0, LARGEST_INT);
  assertFunction('onReadable', onReadable);
  return new (load().Connection)(fd, onReadable);
}

/**
 * Calls back once, as precisely as the kernel can (timerfd_create(2)): `setTimeout` counts whole milliseconds, and not from when
 * it is called but from when the event loop begins to wait.
 *
 * @param microseconds 1 to 1,000,000
 * @param onRing is called then; what it throws becomes an uncaught exception
 * @throws RangeError, TypeError for an argument that cannot work
 * @throws Error with `code` (EMFILE: it takes a file descriptor until it rings …) and `syscall`
 */
export function ringAfter(microseconds: number, onRing: () => void): void {
  assertInteger('microseconds', microseconds, 1, 1_000_000);
  assertFunction('onRing', onRing);
  load().ringAfter(microseconds, onRing);
}

/**
 * Takes the exclusive lock of flock(2) on an open file, without waiting. The kernel gives it back when the last copy of
 * the file descriptor is closed, however the process ends.
 *
 * @returns true: it is ours; false: another open file description holds it
 * @throws RangeError, TypeError for an `fd` that cannot be one
 * @throws Error with `code` (EBADF, ENOLCK …) and `syscall`
 */
export function lockExclusively(fd: number): boolean {
  assertInteger('fd', fd, 0, LARGEST_INT);
  return load().lockExclusively(fd);
}

/**
 * Looks a user up by name in every source that nsswitch.conf names (getpwnam_r), on the thread pool: a name service
 * on the network may block.
 *
 * @param name not empty, without NUL
 * @returns the entry, or undefined if there is none
 * @throws TypeError, RangeError for a name that cannot be one (at once, not as a rejection)
 * @throws Error with `code` (EIO, EMFILE, ERANGE: an entry over 1 MiB …) and `syscall`, as a rejection
 */
export function lookUpUser(name: string): Promise<PasswdEntry | undefined> {
  assertText('name', name);
  return load().lookUpUser(name);
}

/**
 * The same by number (getpwuid_r).
 *
 * @param uid 0 to 4294967294
 * @returns the entry, or undefined if there is none
 * @throws TypeError, RangeError for a number that cannot be a uid (at once, not as a rejection)
 * @throws Error with `code` and `syscall`, as a rejection
 */
export function lookUpUid(uid: number): Promise<PasswdEntry | undefined> {
  assertInteger('uid', uid, 0, LARGEST_UID);
  return load().lookUpUid(uid);
}

/**
 * Which groups a user is in (getgrouplist, getgrgid_r), on the thread pool: a name service may block.
 *
 * @param name - of the user
 * @param gid - the user's own group, 0 to 4294967294
 * @returns the names of the groups; those without a name are left out
 * @throws TypeError, RangeError for arguments that cannot be (at once, not as a rejection)
 * @throws Error with `code` and `syscall`, as a rejection
 */
export function groupsOf(name: string, gid: number): Promise<string[]> {
  assertText('name', name);
  assertInteger('gid', gid, 0, LARGEST_UID);
  return load().groupsOf(name, gid);
}

/**
 * Reads a small regular file as its user would: with uid, gid and groups of that user, and without privileges.
 *
 * It runs on a thread of its own, and takes the identity for this thread only. A file system that never answers (NFS,
 * FUSE) keeps the thread, and the promise open, for ever; nothing else waits for it, process.exit() neither. How many hang
 * at one moment, and for how long an answer is waited for, is the caller's to bound.
 *
 * While one is under way, the process must not change its own ids (setuid and its kin): glibc would have all threads do so, and
 * aborts when some of them may not.
 *
 * Symbolic links are followed, with the user's rights, but not those of /proc. Nothing but a regular file is ever opened.
 *
 * @param who only root can name another than itself. Name, uid and gid must be one entry of the passwd database, or both
 *   name and uid unknown to it and the gid at least 1000, which then is the only group
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
 * Reads a file as whoever this process is, on a thread of its own like {@link readFileAs}. No symbolic link is followed, neither of
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
 * Replaces a small regular file as its user would, if it still holds what the caller knows of it. The new contents are
 * written to a new file beside it (`FILE~XXXXXX`, mode 0400, the user's own), synced, and renamed; the directory is synced,
 * too. After any error the old file is untouched and the new one gone, but for `sync` after the rename. Of all who replace
 * one file through this process, one at a time gets further than the comparison.
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
 * Gives a small regular file another name in its directory as its user would, one that nothing has, if the file still holds what
 * the caller knows of it. Of a symbolic link the link is renamed. Afterwards it is durable.
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

/**
 * Shuts this process off: no core dumps, no ptrace and no reading of /proc/PID/mem by others of its user
 * (PR_SET_DUMPABLE 0), and no program that it starts can gain privileges (PR_SET_NO_NEW_PRIVS, which holds for the
 * calling thread and whatever starts from it: call this first of all, on the main thread). There is no way back.
 *
 * @throws Error with `code` and `syscall`
 */
export function hardenProcess(): void {
  load().hardenProcess();
}

function assertText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string, got ${typeof value}`);
  if (value === '') throw new RangeError(`${name} is empty`);
  if (value.includes('\0')) throw new RangeError(`${name} contains a NUL`);
}

function assertInteger(name: string, value: unknown, least: number, most: number): asserts value is number {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`${name} must be an integer from ${least} to ${most}, got ${value}`);
  }
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

function assertFunction(name: string, value: unknown): asserts value is () => void {
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function, got ${typeof value}`);
}

let loaded: Addon | undefined;

/** On first use, so that importing this file needs no compiler. The path is the same from src/host and dist/host. */
function load(): Addon {
  if (loaded === undefined) {
    const file = fileURLToPath(
      new URL('../../native/addon/build/Release/pve_authenticator.node', import.meta.url),
    );
    try {
      loaded = createRequire(import.meta.url)(file) as Addon;
    } catch (cause) {
      throw new Error(`cannot load the native addon ${file}; this builds it: make build`, { cause });
    }
  }
  return loaded;
}
