import { ChannelError, openTlsChannel, type Route } from './tls-channel.ts';

/** The largest answer; a usual one has some 200 bytes. */
export const MAX_ANSWER_BYTES = 4096;
const MAX_HEADER_BYTES = 16 * 1024;

/** What a server answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Fetches one answer by HTTPS. Redirects are not followed, no connection is reused, and a truncated answer, or one larger than
 * {@link MAX_ANSWER_BYTES}, is an error.
 *
 * @param url - https, with the request in its query
 * @param route - how servers are reached
 * @param signal - cancels, and closes everything that is open
 * @returns the answer
 * @throws ChannelError or an error of Node, when there is none
 */
export async function fetchAnswer(url: URL, route: Route, signal: AbortSignal): Promise<HttpAnswer> {
  const channel = await openTlsChannel(url, route, signal);
  try {
    return await new Promise((resolve, reject) => {
      // Loaded with the first request, so that the start is not slower.
      const request = process.getBuiltinModule('node:http').request({
        createConnection: () => channel,
        headers: { host: url.host, accept: 'text/plain', connection: 'close' },
        path: `${url.pathname}${url.search}`,
        maxHeaderSize: MAX_HEADER_BYTES,
      });
      // The listener stays, because an error without a listener would end the process.
      request.on('error', reject);
      // After an abort there is no answer, and perhaps no further event.
      signal.addEventListener('abort', () => reject(new ChannelError('given up')), { once: true });
      // Otherwise Node would close the connection without an event.
      request.once('upgrade', () => reject(new ChannelError('the server wants to speak another protocol')));
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) {
            reject(new ChannelError(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
            response.destroy();
            return;
          }
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('latin1') }),
        );
      });
      request.end();
    });
  } finally {
    channel.destroy();
  }
}
