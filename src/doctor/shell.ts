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

/**
 * A text for sed's patterns, so that it means itself: basic regular expressions, `/` around them.
 *
 * @param text - one line
 * @returns the pattern
 */
export function sedPattern(text: string): string {
  return text.replace(/[\\/.*[\]^$]/g, '\\$&');
}

/**
 * A text for the other side of sed's `s///`, or for its `a`, `c` and `i`, so that it means itself.
 *
 * @param text - one line
 * @returns the text
 */
export function sedText(text: string): string {
  return text.replace(/[\\/&]/g, '\\$&');
}
