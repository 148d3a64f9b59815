import { request } from 'node:http';
import { z } from '../../schema.ts';
import type {
  ReadAnswer,
  ReadRequest,
  ReplaceAnswer,
  ReplaceRequest as WireReplaceRequest,
} from '../../files/requests.ts';

/** The answer has a file of 65536 bytes in base64, and little else. */
const MAX_ANSWER_BYTES = 128 * 1024;
/** From the first try to connect to the last byte, in milliseconds: longer than the reader takes, shorter than the module waits. */
const DEADLINE_MS = 8_000;

/** A file to replace. */
export interface ReplaceRequest extends Omit<WireReplaceRequest, 'expected' | 'contents'> {
  readonly expected: Uint8Array;
  readonly contents: Uint8Array;
}

/** The reader gave no answer. */
export type NoAnswer =
  /** It is not there, with the code of the error: nothing was done. */
  | { readonly kind: 'no-reader'; readonly code: string }
  /** It took too long, hung up, did not take the request or cannot be understood. What was asked for may have been done. */
  | { readonly kind: 'no-answer'; readonly why: 'deadline' | 'ended' | 'refused' | 'unreadable' };

/** How reading ended; whoever gets contents wipes them. */
export type ReadResult = ReadAnswer<Buffer> | NoAnswer;

/** How replacing ended. */
export type ReplaceResult = ReplaceAnswer | NoAnswer;

/** The files of users, read and written with the rights of each. Neither call rejects. */
export interface HomeFiles {
  /**
   * Reads a file.
   *
   * @param request - whose, which, and how large it may be
   * @returns how it ended
   */
  read(request: ReadRequest): Promise<ReadResult>;

  /**
   * Replaces a file, if it holds what is expected.
   *
   * @param request - whose, which, what it holds and what it shall hold
   * @returns how it ended
   */
  replace(request: ReplaceRequest): Promise<ReplaceResult>;
}

const decimal = z.string().check(z.regex(/^-?[0-9]{1,24}$/));
const id = z.strictObject({ dev: decimal, ino: decimal });
const directory = z.strictObject({
  ...id.shape,
  fileSystem: z.string().check(z.regex(/^[0-9]{1,20}:[0-9]{1,10}:[0-9]{1,10}$/)),
  encrypted: z.boolean(),
});
const file = z.strictObject({
  ...id.shape,
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
  size: z.int(),
  mtimeNs: decimal,
});
const shared = [
  z.strictObject({ kind: z.literal('missing'), directory: z.nullable(directory), symlink: z.boolean() }),
  z.strictObject({ kind: z.literal('unfit'), why: z.enum(['not-regular', 'empty', 'too-large']) }),
  z.strictObject({
    kind: z.literal('failed'),
    step: z.enum([
      ...(['identity', 'memory', 'directory', 'open', 'stat', 'read'] as const),
      ...(['create', 'write', 'sync', 'rename'] as const),
    ]),
    code: z.string().check(z.regex(/^[A-Z0-9]{1,32}$/)),
  }),
  z.strictObject({ kind: z.literal('busy') }),
  z.strictObject({ kind: z.literal('hung') }),
] as const;
const contents = z.pipe(
  z.base64(),
  z.transform((text) => Buffer.from(text, 'base64')),
);
const readAnswer: z.ZodMiniType<ReadAnswer<Buffer>> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('read'), contents, file, directory, symlink: z.boolean() }),
  ...shared,
]);
const replaceAnswer: z.ZodMiniType<ReplaceAnswer> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('replaced'), file, directory }),
  z.strictObject({ kind: z.literal('changed') }),
  ...shared,
]);

/** Asks pve-authenticator-files through files.sock. */
export class FilesClient implements HomeFiles {
  readonly #socketPath: string;

  /** @param runtimeDir - where the sockets are */
  constructor(runtimeDir: string) {
    this.#socketPath = `${runtimeDir}/files.sock`;
  }

  read({ user, uid, gid, path, maxBytes }: ReadRequest): Promise<ReadResult> {
    return this.#ask('/v1/read', { user, uid, gid, path, maxBytes }, readAnswer);
  }

  replace({ user, uid, gid, path, ...bytes }: ReplaceRequest): Promise<ReplaceResult> {
    const body: WireReplaceRequest = {
      ...{ user, uid, gid, path },
      expected: Buffer.from(bytes.expected).toString('base64'),
      contents: Buffer.from(bytes.contents).toString('base64'),
    };
    return this.#ask('/v1/replace', body, replaceAnswer);
  }

  async #ask<T>(path: string, body: unknown, schema: z.ZodMiniType<T>): Promise<T | NoAnswer> {
    const answer = await exchange(this.#socketPath, path, JSON.stringify(body));
    if (answer.kind !== 'answer') {
      return answer;
    }
    try {
      return schema.parse(JSON.parse(answer.body.toString()));
    } catch {
      return { kind: 'no-answer', why: 'unreadable' };
    } finally {
      answer.body.fill(0);
    }
  }
}

type Exchanged = { readonly kind: 'answer'; readonly body: Buffer } | NoAnswer;

/** One request on a connection of its own. It never rejects. */
function exchange(socketPath: string, path: string, body: string): Promise<Exchanged> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json' };
    let connected = false;
    const end = (result: Exchanged): void => {
      clearTimeout(timer);
      resolve(result);
      outgoing.destroy();
    };
    const outgoing = request({ socketPath, method: 'POST', path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        chunks.push(chunk);
        if (length > MAX_ANSWER_BYTES) {
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
      // A reader that dies in the middle of its answer.
      response.on('error', () => end({ kind: 'no-answer', why: 'ended' }));
    });
    const timer = setTimeout(() => end({ kind: 'no-answer', why: 'deadline' }), DEADLINE_MS);
    outgoing.on('socket', (socket) => socket.on('connect', () => (connected = true)));
    outgoing.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : 'unknown';
      end(connected ? { kind: 'no-answer', why: 'ended' } : { kind: 'no-reader', code });
    });
    outgoing.end(body);
  });
}
