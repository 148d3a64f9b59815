/* node:http is loaded with the first request: a start does not wait for it. */
import { timeLimit } from '../../host/time-limit.ts';

/** From the first try to connect to the last byte, in milliseconds: longer than the reader takes, shorter than the module waits. */
const DEADLINE_MS = 8_000;

/** The reader gave no answer. */
export type NoAnswer =
  /** The reader is not running (with the code of the error). Nothing was done. */
  | { readonly kind: 'no-reader'; readonly code: string }
  /**
   * The reader took too long, hung up, refused the request, or its answer is malformed. The request may have been carried out.
   */
  | { readonly kind: 'no-answer'; readonly why: 'deadline' | 'ended' | 'refused' | 'unreadable' };

/** The body of the answer. */
type Exchanged = { readonly kind: 'answer'; readonly body: Buffer } | NoAnswer;

/**
 * Sends pve-authenticator-files one request, on a connection of its own.
 *
 * @param socketPath - of files.sock
 * @param path - of the request
 * @param body - JSON
 * @param maxBytes - a longer answer counts as none
 * @returns the body of the answer, which its receiver wipes; it never rejects
 */
export function askReader(
  socketPath: string,
  path: string,
  body: string,
  maxBytes: number,
): Promise<Exchanged> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    let connected = false;
    const end = (result: Exchanged): void => {
      forget();
      resolve(result);
      outgoing.destroy();
    };
    const { request } = process.getBuiltinModule('node:http');
    const outgoing = request({ socketPath, method: 'POST', path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > maxBytes) {
          end({ kind: 'no-answer', why: 'unreadable' });
        }
      });
      response.on('end', () => {
        const all = Buffer.concat(chunks);
        chunks.forEach((chunk) => chunk.fill(0));
        end(
          response.statusCode === 200 ? { kind: 'answer', body: all } : { kind: 'no-answer', why: 'refused' },
        );
      });
      // The reader died in the middle of its answer.
      response.on('error', () => end({ kind: 'no-answer', why: 'ended' }));
    });
    const forget = timeLimit(DEADLINE_MS, () => end({ kind: 'no-answer', why: 'deadline' }));
    outgoing.on('socket', (socket) => socket.on('connect', () => (connected = true)));
    outgoing.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : 'unknown';
      end(connected ? { kind: 'no-answer', why: 'ended' } : { kind: 'no-reader', code });
    });
    outgoing.end(body);
  });
}
