/** PATH_MAX of Linux, without the final NUL. */
export const LONGEST_PATH = 4095;

/**
 * Whether a path is absolute, names something in a directory, and has no `..`.
 *
 * @param path - any text
 * @returns whether it is
 */
export function isFilePath(path: string): boolean {
  const parts = path.split('/');
  const last = parts.at(-1);
  return (
    parts[0] === '' &&
    last !== '' &&
    last !== '.' &&
    !parts.includes('..') &&
    !path.includes('\0') &&
    Buffer.byteLength(path) <= LONGEST_PATH
  );
}
