import { readFileSync } from 'node:fs';

/**
 * The version of this installation, or of this checkout.
 *
 * @returns as package.json has it
 */
export function version(): string {
  // The path is the same from src/host, dist/host and dist/daemon.
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
