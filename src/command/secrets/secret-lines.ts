import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { CommandError } from '../session/control-client.ts';

const OTHERS_MAY_READ = 0o044;

/**
 * Reads a file with secrets to import.
 *
 * @param path - where it is, as the caller may read it
 * @param maxBytes - more is an error
 * @returns its lines, latin1; and a remark for the person about the file
 * @throws CommandError when it cannot be read, or is too large
 */
export function secretLines(path: string, maxBytes: number): { lines: string[]; remark: string } {
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  let othersMayRead: boolean;
  try {
    const fd = openSync(path, 'r');
    try {
      othersMayRead = (fstatSync(fd).mode & OTHERS_MAY_READ) !== 0;
      for (let got = -1; got !== 0 && length < bytes.length; length += got) {
        got = readSync(fd, bytes, length, bytes.length - length, null);
      }
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new CommandError('ERR_KEYS_FILE', `${path} cannot be read (${code}). Nothing was changed.`);
  }
  if (length > maxBytes) {
    throw new CommandError(
      'ERR_KEYS_FILE',
      `${path} has more than ${maxBytes} bytes: is it the right file? Nothing was changed.`,
    );
  }
  const lines = bytes.toString('latin1', 0, length).split(/\r?\n/);
  bytes.fill(0);
  return {
    lines,
    remark: othersMayRead
      ? `${path} holds the secrets, and other users can read it. Delete it. If somebody may have read it, replace the factors`
      : `${path} holds the secrets: delete it when you no longer need it`,
  };
}
