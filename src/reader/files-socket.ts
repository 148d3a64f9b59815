import { chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { activatedSockets } from '../host/activation.ts';
import { listenOn } from '../host/addon.ts';
import { makeRuntimeDirectory, removeStale } from '../host/sockets.ts';

const NAME = 'files';
const MODE = 0o600;
const BACKLOG = 128;
/** open(2) on Linux; Node does not name it. */
const O_PATH = 0o10000000;

/**
 * Opens files.sock: the one that systemd passed, or else our own.
 *
 * @param runtimeDir - where our own appears
 * @param owner - the uid it shall belong to; only root can name another than its own
 * @returns the listening descriptor
 * @throws SocketInUseError when another reader serves it
 * @throws Error of the system
 */
export async function openFilesSocket(runtimeDir: string, owner: number): Promise<number> {
  const activated = activatedSockets(process.env, process.pid).get(NAME);
  if (activated !== undefined) {
    return activated;
  }
  makeRuntimeDirectory(runtimeDir);
  const path = `${runtimeDir}/${NAME}.sock`;
  await removeStale(path);
  const fd = listenOn(path, MODE, BACKLOG);
  giveTo(path, owner);
  return fd;
}

/**
 * Gives a newly made socket another owner. Its directory may belong to somebody else, so this first checks that the name is still
 * our socket and has no hard link.
 *
 * @param path - of the socket
 * @param owner - the uid it shall belong to
 * @throws Error when something else is there, or of the system: a link is not followed
 */
export function giveTo(path: string, owner: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(fd);
    if (!found.isSocket() || found.uid !== process.geteuid?.() || found.nlink !== 1) {
      throw new Error(`${path} is not the socket that was made there`);
    }
    if (found.uid !== owner) {
      chownSync(`/proc/self/fd/${fd}`, owner, found.gid);
    }
  } finally {
    closeSync(fd);
  }
}
