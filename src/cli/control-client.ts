import { request } from 'node:http';
import type { Refusal } from '../control/requests.ts';

/** Answers are small; a larger one is not from our daemon. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 20_000;

/** The daemon refused, or is not there. The message is for the person at the command. */
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

/** Asks the daemon through control.sock. */
export class ControlClient {
  readonly #socketPath: string;

  /** @param runtimeDir - where the daemon's sockets are */
  constructor(runtimeDir: string) {
    this.#socketPath = `${runtimeDir}/control.sock`;
  }

  /**
   * Sends one request.
   *
   * @param method - HTTP method
   * @param path - its parts; they are percent-encoded here
   * @param body - sent as JSON
   * @returns the answer's body
   * @throws CommandError when the daemon refuses or is not there
   */
  async ask<T>(method: 'GET' | 'POST' | 'DELETE', path: readonly string[], body?: unknown): Promise<T> {
    const { status, text } = await this.#exchange(
      method,
      `/v1/${path.map(encodeURIComponent).join('/')}`,
      body,
    );
    const answer = parsed(text);
    if (status === 200 && answer !== undefined) {
      return answer as T;
    }
    const { error } = (answer ?? {}) as Partial<Refusal>;
    throw error === undefined
      ? new CommandError(
          'ERR_DAEMON',
          'The daemon gave an answer that cannot be read: is it of the same version?',
        )
      : new CommandError(error.code, error.message);
  }

  #exchange(method: string, path: string, body: unknown): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { socketPath: this.#socketPath, method, path, headers: { 'content-type': 'application/json' } },
        (response) => {
          const chunks: Buffer[] = [];
          let length = 0;
          response.on('data', (chunk: Buffer) => {
            length += chunk.length;
            chunks.push(chunk);
            if (length > MAX_ANSWER_BYTES) {
              outgoing.destroy(new Error('the answer is too long'));
            }
          });
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          );
          // Without it a daemon that dies in the middle of its answer would never be noticed.
          response.on('error', (error) => reject(this.#unreachable(error)));
        },
      );
      outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('it does not answer')));
      outgoing.on('error', (error) => reject(this.#unreachable(error)));
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #unreachable(error: Error): CommandError {
    const code = 'code' in error ? String(error.code) : error.message;
    return new CommandError(
      'ERR_DAEMON',
      `The daemon cannot be reached at ${this.#socketPath} (${code}). Is it running? See: systemctl status pve-authenticator.socket`,
    );
  }
}

/** Undefined: it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
