import { assertFunction, assertInteger, assertText, LARGEST_INT, LARGEST_UID } from './arguments.ts';
import { loadAddon } from './load-addon.ts';

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

/** A descriptor for writing without ever waiting for its reader. */
export interface Outlet {
  /**
   * Writes as many bytes as are taken at once.
   *
   * @param bytes what to write
   * @returns how many of the bytes were taken; 0: none for now; -1: there is no reader
   */
  write(bytes: Uint8Array): number;
}

/** One entry of the passwd database. */
export interface PasswdEntry {
  /** The canonical name, as the entry spells it, which may differ from the requested name. */
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
  readonly Outlet: new (fd: number) => Outlet;
  ringAfter(microseconds: number, onRing: () => void): void;
  lockExclusively(fd: number): boolean;
  lookUpUser(name: string): Promise<PasswdEntry | undefined>;
  lookUpUid(uid: number): Promise<PasswdEntry | undefined>;
  groupsOf(name: string, gid: number): Promise<string[]>;
  hardenProcess(): void;
}

/** The length of `sun_path` in unix(7), without its final NUL. */
const LONGEST_SOCKET_PATH = 107;
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
 * @param onConnection gets each connection (non-blocking, close-on-exec), which it owns: wrap it in `new net.Socket({ fd })`. What it throws becomes an uncaught exception.
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
 * Writes to a descriptor, such as standard error, that is a socket, a pipe, a terminal or a file, and that others may share: its flags
 * stay as they are, since O_NONBLOCK would hold for all of them. A socket gets MSG_DONTWAIT (send(2)), a pipe SPLICE_F_NONBLOCK
 * (splice(2)); a write to a file still takes as long as the disk does. What others write to a socket waits a second at most from then on.
 *
 * @param fd stays the caller's; when it is not open, nothing is taken
 * @throws TypeError, RangeError for an `fd` that cannot be one
 */
export function openOutlet(fd: number): Outlet {
  assertInteger('fd', fd, 0, LARGEST_INT);
  return new (load().Outlet)(fd);
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
 * Looks a user up by name in every source that nsswitch.conf names (getpwnam_r), on a thread of its own: a name service on the network
 * may hang, and keeps the thread and the promise open until it answers. The caller must limit how many hang at one moment, and
 * how long to wait; {@link NameService} does.
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
 * Which groups a user is in (getgrouplist, getgrgid_r), on a thread of its own as {@link lookUpUser}.
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
 * Shuts this process off: no core dumps, no ptrace and no reading of /proc/PID/mem by others of its user
 * (PR_SET_DUMPABLE 0), and no program that it starts can gain privileges (PR_SET_NO_NEW_PRIVS, which holds for the
 * calling thread and whatever starts from it: call this first of all, on the main thread). There is no way back.
 *
 * @throws Error with `code` and `syscall`
 */
export function hardenProcess(): void {
  load().hardenProcess();
}

function load(): Addon {
  return loadAddon() as Addon;
}
