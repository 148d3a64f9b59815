import type { ProxmoxAnswer, ProxmoxProduct } from '../../../contracts/file-requests.ts';
import type { NotServed } from '../../../host/threads.ts';
import { z } from '../../../contracts/schema.ts';
import { askReader, type NoAnswer } from '../ask-reader.ts';

/* The client of files.sock for the files of Proxmox. */

/** Three files of a mebibyte in base64, and little else. */
const MAX_ANSWER_BYTES = 5 * 1024 * 1024;

/** The reader's answer about the files. */
export type ProxmoxRead = ProxmoxAnswer | NoAnswer;

/** The files of Proxmox. */
export interface ProxmoxFiles {
  /**
   * Reads all files of a product.
   *
   * @param product - whose
   * @returns how it ended; it never rejects
   */
  read(product: ProxmoxProduct): Promise<ProxmoxRead>;
}

const file = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('read'), contents: z.string() }),
  z.strictObject({ kind: z.literal('missing'), directory: z.boolean() }),
  z.strictObject({ kind: z.literal('failed'), why: z.string().check(z.regex(/^[a-zA-Z0-9: -]{1,64}$/)) }),
]);
const answerSchema: z.ZodMiniType<ProxmoxAnswer> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('files'), files: z.record(z.string(), file) }),
  z.strictObject({ kind: z.literal('busy') }),
  z.strictObject({ kind: z.literal('hung') }),
]);

/** Asks pve-authenticator-files through files.sock. */
export class ProxmoxFilesClient implements ProxmoxFiles {
  readonly #socketPath: string;

  /** @param runtimeDir - where the sockets are */
  constructor(runtimeDir: string) {
    this.#socketPath = `${runtimeDir}/files.sock`;
  }

  async read(product: ProxmoxProduct): Promise<ProxmoxRead> {
    const body = JSON.stringify({ product });
    const answer = await askReader(this.#socketPath, '/v1/proxmox', body, MAX_ANSWER_BYTES);
    if (answer.kind !== 'answer') {
      return answer;
    }
    try {
      return answerSchema.parse(JSON.parse(answer.body.toString()));
    } catch {
      return { kind: 'no-answer', why: 'unreadable' };
    } finally {
      answer.body.fill(0);
    }
  }
}

/**
 * Why the files could not be read, for the log.
 *
 * @param read - what the reader said
 * @returns it in words
 */
export function troubleIn(read: NotServed | NoAnswer): string {
  switch (read.kind) {
    case 'hung':
      return 'the file system of Proxmox does not answer';
    case 'busy':
      return 'too many requests wait for the files of Proxmox';
    case 'no-reader':
      return `pve-authenticator-files is not there (${read.code})`;
    case 'no-answer':
      return `pve-authenticator-files gave no answer (${read.why})`;
  }
}
