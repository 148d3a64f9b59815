import { request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Refusal } from '../../contracts/control-requests.ts';

/** Answers are small; a larger one is not from our daemon. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** The largest list: factors of some hundred thousand people. */
const MAX_LIST_BYTES = 256 * 1024 * 1024;
const LIST_TYPE = 'application/x-ndjson';
const TIMEOUT_MS = 20_000;
const UNKNOWN =
  'The change may or may not have been made: check with "pve-google-authenticator list" before you try again. ' +
  'If you gave a code, it may be used up.';

/** The daemon refused, is not there, or ended before it answered. The message is for the person at the command. */
export class CommandError extends Error {
  /** Stable, for programs: the daemon's, or ERR_DAEMON. */
  readonly code: string;
  /**
   * @param code - stable
   * @param message - what is wrong and what to do
   */
  constructor(code: string, message: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
  }
}

/** How long to wait for a restarting daemon, and how often to try, in milliseconds. */
const PATIENCE_MS = 5_000;
const PAUSE_MS = 100;
/** The connection was refused, or nothing could be written to it, so the request was not carried out. */
const NOT_REACHED = new Set(['ECONNREFUSED', 'EAGAIN', 'EPIPE']);
/** The socket is missing, or closed to this user. */
const NO_SOCKET = new Set(['ENOENT', 'EACCES', 'EPERM']);
/** The daemon ended meanwhile. It may have carried out the request, so only requests without effect are repeated. */
const CUT = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

interface Exchanged {
  readonly status: number;
  readonly lines: readonly string[];
}

type Method = 'GET' | 'POST' | 'DELETE';

/** Asks the daemon through control.sock. */
export class ControlClient {
  readonly #socketPath: string;
  readonly #patienceMs: number;

  /**
   * @param runtimeDir - where the daemon's sockets are
   * @param patienceMs - how long a daemon that is being restarted, or has too much to do, is waited for
   */
  constructor(runtimeDir: string, patienceMs = PATIENCE_MS) {
    this.#socketPath = `${runtimeDir}/control.sock`;
    this.#patienceMs = patienceMs;
  }

  /**
   * Sends one request. While the daemon restarts, it waits, and repeats requests that are safe to repeat.
   *
   * @param method - HTTP method
   * @param path - its parts; they are percent-encoded here
   * @param body - sent as JSON
   * @returns the answer's body
   * @throws CommandError when the daemon refuses or is not there
   */
  async ask<T>(method: Method, path: readonly string[], body?: unknown): Promise<T> {
    const { status, lines } = await this.#patiently(method, path, body);
    const answer = parsed(lines.join('\n'));
    if (status === 200 && answer !== undefined) {
      return answer as T;
    }
    const refusal = refusalOf(answer);
    throw refusal.code === 'ERR_DAEMON' && changes(method, body)
      ? new CommandError(refusal.code, `${refusal.message} ${UNKNOWN}`)
      : refusal;
  }

  /**
   * Asks for a list, whose entries come one a line.
   *
   * @param path - its parts; they are percent-encoded here
   * @returns all of them
   * @throws CommandError when the daemon refuses, is not there, or ends in the middle
   */
  async list<T>(path: readonly string[]): Promise<T[]> {
    const { status, lines } = await this.#patiently('GET', path, undefined);
    const entries = lines.filter((line) => line !== '').map(parsed);
    if (status !== 200 || entries.includes(undefined)) {
      throw refusalOf(status === 200 ? undefined : entries[0]);
    }
    return entries as T[];
  }

  async #patiently(method: Method, path: readonly string[], body: unknown): Promise<Exchanged> {
    const target = `/v1/${path.map(encodeURIComponent).join('/')}`;
    const until = performance.now() + this.#patienceMs;
    for (;;) {
      try {
        const exchanged = await this.#exchange(method, target, body);
        const busy = exchanged.status === 503 ? refusalOf(parsed(exchanged.lines.join('\n'))) : undefined;
        if (busy?.code !== 'ERR_BUSY' || performance.now() >= until) {
          return exchanged;
        }
      } catch (error) {
        const code = codeOf(error);
        const again = NOT_REACHED.has(code) || (method === 'GET' && CUT.has(code));
        if (!again || performance.now() >= until) {
          const sent = !NOT_REACHED.has(code) && !NO_SOCKET.has(code);
          throw sent && changes(method, body) ? unanswered(code) : this.#unreachable(code);
        }
      }
      await sleep(PAUSE_MS);
    }
  }

  #exchange(method: string, path: string, body: unknown): Promise<Exchanged> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { socketPath: this.#socketPath, method, path, headers: { 'content-type': 'application/json' } },
        (response) => {
          received(response).then(
            (lines) => resolve({ status: response.statusCode ?? 0, lines }),
            (error: unknown) => {
              outgoing.destroy();
              reject(error instanceof Error ? error : new Error('it cannot be read'));
            },
          );
        },
      );
      outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('it does not answer')));
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #unreachable(code: string): CommandError {
    return new CommandError(
      'ERR_DAEMON',
      `The daemon cannot be reached at ${this.#socketPath} (${code}). Is it running? See: systemctl status pve-authenticator.socket`,
    );
  }
}

/** A change was sent, and the daemon may have made it before it ended. */
function unanswered(code: string): CommandError {
  return new CommandError(
    'ERR_DAEMON',
    `The daemon got the request and did not answer (${code}). ${UNKNOWN}`,
  );
}

/** Whether a request may change something. Those with `check` only ask what it would lead to. */
function changes(method: Method, body: unknown): boolean {
  return method !== 'GET' && (body as { check?: unknown } | undefined)?.check !== true;
}

/** The lines of an answer. */
async function received(response: IncomingMessage): Promise<string[]> {
  const most = response.headers['content-type'] === LIST_TYPE ? MAX_LIST_BYTES : MAX_ANSWER_BYTES;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    chunks.push(chunk);
    if (length > most) {
      throw new Error('the answer is too long');
    }
  }
  return Buffer.concat(chunks).toString().split('\n');
}

function codeOf(error: unknown): string {
  return error instanceof Error ? ('code' in error ? String(error.code) : error.message) : 'unknown';
}

function refusalOf(answer: unknown): CommandError {
  const { error } = (answer ?? {}) as Partial<Refusal>;
  return error === undefined
    ? new CommandError('ERR_DAEMON', "The daemon's answer cannot be read: is it of the same version?")
    : new CommandError(error.code, error.message);
}

/** The parsed JSON; undefined if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
