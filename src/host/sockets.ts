import { chmodSync, existsSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { activatedSockets } from './activation.ts';
import { listenOn } from './addon.ts';

/** The daemon's sockets, and who may connect to each. */
const SOCKETS = [
  { name: 'pam', mode: 0o600 },
  { name: 'user', mode: 0o666 },
  { name: 'control', mode: 0o666 },
] as const;

/** `pam`: root's modules. `user`: modules of other programs. `control`: the command. */
export type SocketName = (typeof SOCKETS)[number]['name'];

/** Connections that the kernel queues while the daemon starts or is busy. */
const BACKLOG = 128;
const DIRECTORY_MODE = 0o755;

/** A socket is served by another daemon; the message says what to do. */
export class SocketInUseError extends Error {
  readonly code = 'ERR_SOCKET_IN_USE';
  /** @param path - of the socket */
  constructor(path: string) {
    super(`Another daemon serves ${path}. Stop it first, or start this one with another --runtime-dir.`);
    this.name = 'SocketInUseError';
  }
}

/**
 * Opens the daemon's sockets: those that systemd passed, or else our own.
 *
 * @param runtimeDir - where our own appear
 * @returns listening descriptors by name
 * @throws SocketInUseError when another daemon serves one of them
 * @throws Error of the system
 */
export async function openSockets(runtimeDir: string): Promise<Map<SocketName, number>> {
  const activated = activatedSockets(process.env, process.pid);
  const sockets = new Map<SocketName, number>();
  if (activated.size === 0) {
    makeRuntimeDirectory(runtimeDir);
  }
  for (const { name, mode } of SOCKETS) {
    const given = activated.get(name);
    if (given !== undefined) {
      sockets.set(name, given);
    } else if (activated.size === 0) {
      const path = `${runtimeDir}/${name}.sock`;
      await removeStale(path);
      sockets.set(name, listenOn(path, mode, BACKLOG));
    }
  }
  return sockets;
}

/**
 * Makes the directory of the sockets if it is not there. Everybody may enter it, whatever the umask; the modes of the sockets
 * decide who may connect.
 *
 * @param path - of the directory
 * @throws Error of the system
 */
export function makeRuntimeDirectory(path: string): void {
  if (mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE }) !== undefined) {
    chmodSync(path, DIRECTORY_MODE);
  }
}

/** The errors of connect(2) for a socket without a listener. Other errors may mean a busy or hanging daemon. */
const STALE = new Set(['ECONNREFUSED', 'ENOENT']);

/**
 * Removes a socket that a killed process left behind.
 *
 * @param path - of the socket, which may be missing
 * @throws SocketInUseError when somebody may be listening
 */
export async function removeStale(path: string): Promise<void> {
  if (!existsSync(path)) {
    return;
  }
  const stale = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on('error', (error) => resolve('code' in error && STALE.has(String(error.code))));
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
  });
  if (!stale) {
    throw new SocketInUseError(path);
  }
  unlinkSync(path);
}
