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

/** One entry of the passwd database. */
export interface PasswdEntry {
  /** The canonical name: as the entry spells it, which need not be how it was asked for. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

interface Addon {
  listenOn(path: string, mode: number, backlog: number): number;
  acceptFrom(
    fd: number,
    onConnection: (fd: number, peer: Peer) => void,
    onError: (code: string) => void,
  ): Acceptor;
  lockExclusively(fd: number): boolean;
  lookUpUser(name: string): Promise<PasswdEntry | undefined>;
  lookUpUid(uid: number): Promise<PasswdEntry | undefined>;
  hardenProcess(): void;
}

/** What `sun_path` of unix(7) holds besides its final NUL. */
const LONGEST_SOCKET_PATH = 107;
const LARGEST_INT = 0x7fff_ffff;
/** The uid after it, (uid_t)-1, means "no uid" to the kernel. */
const LARGEST_UID = 0xffff_fffe;

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
 * @param onConnection gets each connection (non-blocking, close-on-exec), which it owns: wrap it in
 *   `new net.Socket({ fd })`. What it throws becomes an uncaught exception.
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
