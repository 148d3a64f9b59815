import { once } from 'node:events';
import type { Socket } from 'node:net';

/** An answer: one value, or a list whose entries are made while it is sent. */
export type Reply =
  | { readonly status: number; readonly body: unknown }
  | { readonly status: 200; readonly list: AsyncIterable<unknown> };

/** How many bytes of a list are sent at once, and how long an entry waits for others, in milliseconds. */
const CHUNK_BYTES = 16 * 1024;
const CHUNK_MS = 500;

/**
 * Answers with JSON: one value, or a line for each entry of a list. The connection ends after it.
 *
 * @param socket - the connection
 * @param reply - the answer
 * @param goesOn - called after each part of a list
 */
export async function sendReply(socket: Socket, reply: Reply, goesOn: () => void): Promise<void> {
  if ('body' in reply) {
    const body = `${JSON.stringify(reply.body)}\n`;
    const length = `Content-Length: ${Buffer.byteLength(body)}`;
    socket.end(`${headOf(reply.status, 'application/json', length)}${body}`);
    return;
  }
  socket.write(headOf(reply.status, 'application/x-ndjson', 'Transfer-Encoding: chunked'));
  await sendList(socket, reply.list, goesOn);
  // If this end is missing, the other side knows that the list is incomplete.
  socket.end('0\r\n\r\n');
}

function headOf(status: number, type: string, framing: string): string {
  return `HTTP/1.1 ${status} \r\nContent-Type: ${type}\r\n${framing}\r\nConnection: close\r\n\r\n`;
}

async function sendList(socket: Socket, list: AsyncIterable<unknown>, goesOn: () => void): Promise<void> {
  let lines = '';
  let since = performance.now();
  const flush = async (): Promise<void> => {
    if (lines !== '') {
      const taken = socket.write(`${Buffer.byteLength(lines).toString(16)}\r\n${lines}\r\n`);
      lines = '';
      since = performance.now();
      if (!taken && !socket.destroyed) {
        await drained(socket);
      }
    }
    goesOn();
  };
  for await (const entry of list) {
    if (socket.destroyed) {
      return;
    }
    lines += `${JSON.stringify(entry)}\n`;
    if (lines.length >= CHUNK_BYTES || performance.now() - since >= CHUNK_MS) {
      await flush();
    }
  }
  await flush();
}

/** Waits until the written bytes are sent, or the other side is gone. */
async function drained(socket: Socket): Promise<void> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  socket.once('close', onClose);
  await once(socket, 'drain', { signal: gone.signal }).catch(() => undefined);
  socket.off('close', onClose);
}
