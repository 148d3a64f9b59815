const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * A word for a line of shell, so that it means itself.
 *
 * @param word - any text without NUL
 * @returns the word, in quotes where it needs them
 */
export function quoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
