const PLAIN_NAME = /^[a-z0-9_-]+$/;

/**
 * The name of a user's file: characters other than `a-z 0-9 _ -` are percent-encoded, so that no name leads to another directory,
 * and no two names to one file, even if the file system ignores case.
 *
 * @param user - canonical name
 * @returns the file name
 */
export function recordFileName(user: string): string {
  if (PLAIN_NAME.test(user)) {
    return `${user}.json`;
  }
  const bytes = Array.from(Buffer.from(user), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `${bytes.join('')}.json`;
}
