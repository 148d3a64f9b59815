import { readFileAs, replaceFileAs, type FileRead, type FileReplaced } from '../host/user-files.ts';
import type { BudgetedLog } from '../log/budgeted-log.ts';
import type { ReadAnswer, ReadRequest, ReplaceAnswer, ReplaceRequest } from '../contracts/file-requests.ts';
import type { NotServed, Threads } from '../host/threads.ts';

/* Answers requests about files in homes. */

/** What requests need. */
export interface FilePorts {
  readonly threads: Threads;
  /** Limits each user's lines, so that no user fills the log. */
  readonly log: BudgetedLog;
}

/**
 * Reads a user's file.
 *
 * @param ports - threads and log
 * @param request - checked
 * @param wanted - whether somebody still waits for the answer
 * @returns the answer
 */
export async function readFile(
  ports: FilePorts,
  request: ReadRequest,
  wanted: () => boolean,
): Promise<ReadAnswer> {
  const result = await ports.threads.run<FileRead>(request.uid, {
    start: () => readFileAs(request, request.path, request.maxBytes),
    wanted,
    discard: (late) => {
      if (late.kind === 'read') {
        late.contents.fill(0);
      }
    },
  });
  report(ports, request, result);
  if (result.kind !== 'read') {
    return result;
  }
  const contents = result.contents.toString('base64');
  result.contents.fill(0);
  return { ...result, contents };
}

/**
 * Replaces a user's file.
 *
 * @param ports - threads and log
 * @param request - checked
 * @param wanted - whether somebody still waits for the answer; if not, nothing is written
 * @returns the answer
 */
export async function replaceFile(
  ports: FilePorts,
  request: ReplaceRequest,
  wanted: () => boolean,
): Promise<ReplaceAnswer> {
  const expected = Buffer.from(request.expected, 'base64');
  const contents = Buffer.from(request.contents, 'base64');
  try {
    const result = await ports.threads.run<FileReplaced>(request.uid, {
      // The addon has its own copies from then on.
      start: () => replaceFileAs(request, request.path, expected, contents),
      wanted,
      discard: () => undefined,
    });
    report(ports, request, result);
    return result;
  } finally {
    expected.fill(0);
    contents.fill(0);
  }
}

/**
 * Permission errors concern the user. The administrator needs to know of failures of the system, and of requests that should
 * never come.
 */
function report(
  ports: FilePorts,
  { user, uid, path }: ReadRequest | ReplaceRequest,
  result: FileRead | FileReplaced | NotServed,
): void {
  if (result.kind === 'failed') {
    const alarming = result.step === 'identity';
    ports.log
      .of(uid)
      .event(
        alarming ? 'alert' : 'warning',
        alarming ? 'A request names a user with a wrong uid or groups' : 'A file failed',
        {
          user,
          uid,
          path,
          step: result.step,
          code: result.code,
        },
      );
  }
}
