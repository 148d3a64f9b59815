import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

const ROOT_UID = 0;
const WRITABLE_BY_OTHERS = 0o022;
const PERMISSIONS = 0o7777;

/** A file's text, or the reason why it cannot be used. */
export type RootFile = { readonly text: string } | { readonly why: string };

/**
 * Reads a file that only root could have written: a regular file, not a symbolic link.
 *
 * @param path - of the file
 * @param maxBytes - how long it may be
 * @returns its text, one character a byte
 */
export function readRootFile(path: string, maxBytes: number): RootFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { why: code === 'ELOOP' ? 'it is a symbolic link: name the file itself' : code };
  }
  try {
    const { mode, uid, size } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) {
      return { why: 'it is not a regular file' };
    }
    if (uid !== ROOT_UID) {
      return { why: `it belongs to uid ${uid}, not to root: chown it if its contents are right` };
    }
    if ((mode & WRITABLE_BY_OTHERS) !== 0) {
      return {
        why: `it can be written by others (mode ${(mode & PERMISSIONS).toString(8).padStart(4, '0')}): check its contents, then chmod 0644 it`,
      };
    }
    return size > maxBytes
      ? { why: `it is larger than ${maxBytes} bytes` }
      : { text: readFileSync(fd, 'latin1') };
  } finally {
    closeSync(fd);
  }
}
