import { readFileSync } from 'node:fs';
import { packageFile } from './package-root.ts';

/**
 * The version of this installation, or of this checkout.
 *
 * @returns as package.json has it
 */
export function version(): string {
  return (JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string }).version;
}
