import { fileURLToPath } from 'node:url';

/**
 * The directory of package.json, in an installation or a checkout. The path is the same from src/host, dist/host and
 * dist/PROGRAM.
 */
const ROOT = new URL('../../', import.meta.url);

/**
 * A file of this installation, or of this checkout.
 *
 * @param path - below the directory of package.json
 * @returns the absolute path
 */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}
