import { connect } from 'node:net';
import { listenOn } from '../../../src/host/addon.ts';

/**
 * A socket that somebody listens on, but never accepts from; its backlog is full.
 *
 * @param path - where
 * @returns the listening descriptor, which the caller closes
 */
export async function listenInVain(path: string): Promise<number> {
  const fd = listenOn(path, 0o600, 1);
  while (await connected(path));
  return fd;
}

/** The kernel answers at once: it has room, or EAGAIN. */
function connected(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.unref();
  });
}
