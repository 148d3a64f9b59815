import { isIP, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/* Loaded on first use, because node:http and node:tls would slow the start of programs that never ask a server. */

/** How servers are reached. */
export interface Route {
  /** Certificates of authorities in PEM, instead of the system's; undefined: those that Node brings. */
  readonly ca: string | undefined;
  /** An HTTP proxy that takes CONNECT; undefined: none. Name and password in the URL are sent as Basic authentication. */
  readonly proxy: URL | undefined;
}

const DEFAULT_HTTPS_PORT = 443;
const DEFAULT_PROXY_PORT = 1080;
const HTTP_OK = 200;

/** A server or proxy that cannot be used; its message is fit for a log. */
export class ChannelError extends Error {
  readonly code = 'ERR_CHANNEL';
  /** @param message - why */
  constructor(message: string) {
    super(message);
    this.name = 'ChannelError';
  }
}

/**
 * Opens a TLS connection, through the proxy if there is one, and checks the server's certificate for its name. TLS 1.2 is the
 * least.
 *
 * @param server - an https URL; only its host and port count
 * @param route - how servers are reached
 * @param signal - cancels, and closes everything that is open
 * @returns the connection; aborting the signal later closes it, too
 * @throws ChannelError or an error of Node, when it cannot be opened
 */
export async function openTlsChannel(server: URL, route: Route, signal: AbortSignal): Promise<TLSSocket> {
  const host = hostOf(server);
  const port = Number(server.port || DEFAULT_HTTPS_PORT);
  const way =
    route.proxy === undefined ? { port } : { socket: await tunnel(route.proxy, host, port, signal) };
  return new Promise((resolve, reject) => {
    const channel = process.getBuiltinModule('node:tls').connect({
      ...way,
      host,
      // RFC 6066, section 3: an address is no server name.
      servername: isIP(host) === 0 ? host : '',
      minVersion: 'TLSv1.2',
      // Set explicitly, because the environment could switch it off.
      rejectUnauthorized: true,
      ...(route.ca === undefined ? {} : { ca: route.ca }),
    });
    const close = (): void => void channel.destroy(new ChannelError('given up'));
    signal.addEventListener('abort', close, { once: true });
    channel.once('close', () => signal.removeEventListener('abort', close));
    channel.once('secureConnect', () => resolve(channel));
    // The listener stays, because an error without a listener would end the process.
    channel.on('error', reject);
    if (signal.aborted) {
      close();
    }
  });
}

/** A connection through the proxy: RFC 9110, section 9.3.6. */
function tunnel(proxy: URL, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    const request = process.getBuiltinModule('node:http').request({
      host: hostOf(proxy),
      port: Number(proxy.port || DEFAULT_PROXY_PORT),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...authorization(proxy) },
      agent: false,
      signal,
    });
    request.once('connect', (response, socket: Socket, head: Buffer) => {
      if (response.statusCode === HTTP_OK && head.length === 0) {
        resolve(socket);
        return;
      }
      socket.destroy();
      reject(new ChannelError(`the proxy answers with HTTP status ${response.statusCode ?? 'none'}`));
    });
    request.once('response', (response) => {
      response.destroy();
      reject(new ChannelError(`the proxy answers with HTTP status ${response.statusCode ?? 'none'}`));
    });
    request.on('error', reject);
    request.end();
  });
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '') {
    return {};
  }
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { 'proxy-authorization': `Basic ${credentials.toString('base64')}` };
}

/** URLs have brackets around IPv6 addresses. */
function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
