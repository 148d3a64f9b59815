import type { ReadRequest } from '../../../contracts/file-requests.ts';
import type { HomeFiles, ReadResult } from './file-access.ts';

/** The module waits 5 seconds for its first question: a home that hangs is given up before, so that the log says why. Milliseconds. */
const LOOKUP_MS = 3_500;

/**
 * Reads a file, as long as the module waits.
 *
 * @param files - who reads
 * @param request - whose, which
 * @returns how it ended; `hung` when it took too long
 */
export async function readInTime(files: HomeFiles, request: ReadRequest): Promise<ReadResult> {
  let timer: NodeJS.Timeout | undefined;
  let late = false;
  const reading = files.read(request).then((read) => {
    if (late && read.kind === 'read') {
      read.contents.fill(0);
    }
    return read;
  });
  const deadline = new Promise<ReadResult>((resolve) => {
    timer = setTimeout(() => {
      late = true;
      resolve({ kind: 'hung' });
    }, LOOKUP_MS);
  });
  try {
    return await Promise.race([reading, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Why the reader gave no file, for the log.
 *
 * @param read - what the reader said
 * @returns the reason in words
 */
export function inWords(read: Exclude<ReadResult, { kind: 'read' | 'missing' }>): string {
  switch (read.kind) {
    case 'hung':
      return 'its file system does not answer';
    case 'busy':
      return 'too many other files are waited for';
    case 'no-reader':
      return `pve-authenticator-files is not there (${read.code})`;
    case 'no-answer':
      return `pve-authenticator-files gave no answer (${read.why})`;
    case 'failed':
      return `${read.step}: ${read.code}`;
    case 'unfit':
      return read.why;
  }
}
