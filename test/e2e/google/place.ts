import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Puts a state file somewhere.
 *
 * @param file - its path; directories that are missing are made, as root's
 * @param text - one character a byte
 * @param owner - whose it is; undefined: root's
 * @param mode - its mode
 */
export function putFile(file: string, text: string, owner: { uid: number } | undefined, mode = 0o600): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, 'latin1');
  chmodSync(file, mode);
  if (owner !== undefined) {
    chownSync(file, owner.uid, owner.uid);
  }
}
