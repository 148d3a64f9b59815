import { randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { encodeBase32 } from '../../factors/base32.ts';
import type { Hotp } from '../../factors/hotp.ts';
import type { Totp } from '../../factors/totp.ts';
import { CommandError } from '../session/control-client.ts';

/** The contents of a file of pam_google_authenticator besides the secret. */
export interface FileSettings {
  readonly disallowReuse: boolean;
  readonly window: number;
  readonly limit: { readonly attempts: number; readonly seconds: number } | undefined;
  /** Eight digits each. */
  readonly scratchCodes: readonly string[];
}

const USUAL_PERIOD = 30;
const OWNER_READS = 0o400;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * The text of a file of pam_google_authenticator, its options in the order in which google-authenticator writes them.
 *
 * @param factor - SHA-1, six digits; a counter from 1 on
 * @param settings - its other contents
 * @returns the text: a secret
 */
export function secretFileText(factor: Totp | Hotp, settings: FileSettings): string {
  const { limit, window, disallowReuse, scratchCodes } = settings;
  const totp = 'period' in factor ? factor : undefined;
  const lines = [
    encodeBase32(factor.secret),
    ...(limit === undefined ? [] : [`" RATE_LIMIT ${limit.attempts} ${limit.seconds}`]),
    `" WINDOW_SIZE ${window}`,
    ...(totp === undefined || totp.period === USUAL_PERIOD ? [] : [`" STEP_SIZE ${totp.period}`]),
    ...(totp !== undefined && disallowReuse ? ['" DISALLOW_REUSE'] : []),
    'counter' in factor ? `" HOTP_COUNTER ${factor.counter}` : '" TOTP_AUTH',
    ...scratchCodes,
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Writes a file atomically: a new file beside it, synced, then renamed. After a crash, the old or the new file is complete.
 *
 * @param path - its path; a symbolic link is replaced, not its target
 * @param text - the contents
 * @throws CommandError when it cannot be written; then the old file is untouched
 */
export function writeSecretFile(path: string, text: string): void {
  const temporary = `${path}~${randomBytes(4).toString('hex')}`;
  const bytes = Buffer.from(text, 'latin1');
  try {
    const fd = openSync(temporary, CREATE, OWNER_READS);
    try {
      if (writeSync(fd, bytes) !== bytes.length) {
        throw Object.assign(new Error('The disk took only a part'), { code: 'ENOSPC' });
      }
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new CommandError(
      'ERR_FILE',
      `${path} cannot be written${code}. What was there before is untouched.`,
    );
  } finally {
    bytes.fill(0);
  }
  syncDirectory(dirname(path));
}

/**
 * Refuses a place where {@link writeSecretFile} could not write, before anything is asked.
 *
 * @param path - where the file shall be
 * @throws CommandError when it is a directory, or its directory is not there or takes no file
 */
export function assertWritable(path: string): void {
  let directory: boolean;
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    directory = lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    throw new CommandError(
      'ERR_FILE',
      `${path} cannot be written${code}: ${dirname(path)} has to be there, and yours to write. What was there before is untouched.`,
    );
  }
  if (directory) {
    throw new CommandError(
      'ERR_FILE',
      `${path} is a directory: name a file in it, for example ${path}/secret`,
    );
  }
}

/** Makes the name durable, as far as possible: some file systems do not sync directories. */
function syncDirectory(path: string): void {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Only a power cut right now could undo the rename, and then the old file is complete.
  }
}
