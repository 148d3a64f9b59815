import type { Socket } from 'node:dgram';

/**
 * Whether this process may use the network at all: a sandbox without it (`RestrictAddressFamilies=`) fails at the first socket, and
 * names cannot be looked up then, which looks like a DNS problem.
 *
 * @returns the code of the error when it may not, such as EAFNOSUPPORT; undefined when it may
 */
export function networkClosed(): Promise<string | undefined> {
  return new Promise((resolve) => {
    let socket: Socket | undefined;
    const end = (error?: unknown): void => {
      socket?.close();
      resolve(error === undefined ? undefined : codeOf(error));
    };
    try {
      // Loaded on first use: few daemons need it.
      socket = process.getBuiltinModule('node:dgram').createSocket('udp4');
      socket.once('error', end);
      // Nothing is sent.
      socket.bind(0, '127.0.0.1', () => end());
    } catch (error) {
      resolve(codeOf(error));
    }
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
