import { z } from '../../../contracts/schema.ts';
import { askReader, type NoAnswer } from '../ask-reader.ts';
import type {
  ReadAnswer,
  ReadRequest,
  ReplaceAnswer,
  ReplaceRequest as WireReplaceRequest,
} from '../../../contracts/file-requests.ts';

/* The client of files.sock for files in homes. */

/** The answer is a file of 65536 bytes in base64, and little else. */
const MAX_ANSWER_BYTES = 128 * 1024;

/** A file to replace. */
export interface ReplaceRequest extends Omit<WireReplaceRequest, 'expected' | 'contents'> {
  readonly expected: Uint8Array;
  readonly contents: Uint8Array;
}

/** The result of reading. The receiver wipes the contents. */
export type ReadResult = ReadAnswer<Buffer> | NoAnswer;

/** The result of replacing. */
export type ReplaceResult = ReplaceAnswer | NoAnswer;

/** Reads and writes users' files, each with its user's rights. Neither call rejects. */
export interface HomeFiles {
  /**
   * Reads a file.
   *
   * @param request - whose, which, and how large it may be
   * @returns how it ended
   */
  read(request: ReadRequest): Promise<ReadResult>;

  /**
   * Replaces a file if it has the expected contents.
   *
   * @param request - whose, which, its expected and its new contents
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
      user,
      uid,
      gid,
      path,
      expected: Buffer.from(bytes.expected).toString('base64'),
      contents: Buffer.from(bytes.contents).toString('base64'),
    };
    return this.#ask('/v1/replace', body, replaceAnswer);
  }

  async #ask<T>(path: string, body: unknown, schema: z.ZodMiniType<T>): Promise<T | NoAnswer> {
    const answer = await askReader(this.#socketPath, path, JSON.stringify(body), MAX_ANSWER_BYTES);
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
