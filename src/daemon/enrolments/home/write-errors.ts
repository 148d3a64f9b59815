/** Errors of which pam_google_authenticator tells the person, in the words of strerror(3). */
const TOLD: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EIO: 'Input/output error',
  EDQUOT: 'Disk quota exceeded',
};

/**
 * What the person is told when the file cannot be written: the sentence of pam_google_authenticator, word by word.
 *
 * @param code - the name of the errno value
 * @returns the text; undefined for errors that it keeps to itself
 */
export function writeErrorNotice(code: string): string | undefined {
  const words = Object.hasOwn(TOLD, code) ? TOLD[code] : undefined;
  return words === undefined ? undefined : `Error "${words}" while writing config`;
}
