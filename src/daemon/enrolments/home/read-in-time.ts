import type { ReadRequest } from '../../../contracts/file-requests.ts';
import { timeLimit } from '../../../host/time-limit.ts';
import type { HomeFiles, ReadResult } from './file-access.ts';

/**
 * The longest wait for a home, in milliseconds. The module waits 5 seconds for its first question, and this must end before, so
 * that the log can say why.
 */
const LOOKUP_MS = 3_500;

/**
 * Reads a file within the time that the module waits.
 *
 * @param files - who reads
 * @param request - whose, which
 * @returns how it ended; `hung` when it took too long
 */
export async function readInTime(files: HomeFiles, request: ReadRequest): Promise<ReadResult> {
  let forget = (): void => undefined;
  let late = false;
  const reading = files.read(request).then((read) => {
    if (late && read.kind === 'read') {
      read.contents.fill(0);
    }
    return read;
  });
  const deadline = new Promise<ReadResult>((resolve) => {
    forget = timeLimit(LOOKUP_MS, () => {
      late = true;
      resolve({ kind: 'hung' });
    });
  });
  try {
    return await Promise.race([reading, deadline]);
  } finally {
    forget();
  }
}

/**
 * Why the reader returned no file, for the log.
 *
 * @param read - the result of reading
 * @returns the reason in words
 */
export function inWords(read: Exclude<ReadResult, { kind: 'read' | 'missing' }>): string {
  switch (read.kind) {
    case 'hung':
      return 'its file system does not answer';
    case 'busy':
      return 'too many other files do not answer';
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
