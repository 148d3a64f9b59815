/* pam_google_authenticator's texts for errors of writing. */

/** The errors that pam_google_authenticator shows to the person, in the words of strerror(3). */
const TOLD: Readonly<Record<string, string>> = {
  EPERM: 'Operation not permitted',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
  EIO: 'Input/output error',
  EDQUOT: 'Disk quota exceeded',
};

/**
 * The text for the person when the file cannot be written: pam_google_authenticator's, word for word.
 *
 * @param code - the name of the errno value
 * @returns the text; undefined for errors that it does not show
 */
export function writeErrorNotice(code: string): string | undefined {
  const words = Object.hasOwn(TOLD, code) ? TOLD[code] : undefined;
  return words === undefined ? undefined : `Error "${words}" while writing config`;
}
