import { readTfa } from './crate.ts';
import { Unreadable } from './json-tokens.ts';
import { readDomains, readUsers } from './perl.ts';

/** The files that decide, as they are on the disk. */
export interface ModelFiles {
  readonly tfa: Buffer;
  readonly users: Buffer;
  readonly domains: Buffer;
}

/** What Proxmox does with a user's login after the password. `stranger`: it does not know the user at all. */
export type ModelVerdict = 'asks' | 'refuses' | 'lets in' | 'stranger';

/**
 * A small model of Proxmox' own login (`PVE::AccessControl::authenticate_user` and `authenticate_2nd_new`). It shares no code with the
 * parsers under test.
 *
 * @param files - the files
 * @param name - before the `@`
 * @param realm - behind it
 * @returns what happens
 */
export function modelVerdict(files: ModelFiles, name: string, realm: string): ModelVerdict {
  const users = readUsers(files.users);
  const settings = readDomains(files.domains).get(realm);
  let userId = Buffer.from(`${name}@${realm}`).toString('latin1');
  if (settings?.caseSensitive === false) {
    const same = [...users].filter((other) => lower(other) === lower(userId));
    if (same.length > 1) return 'refuses';
    userId = same[0] ?? userId;
  }
  if (!users.has(userId)) return 'stranger';
  if (settings === undefined) return 'refuses';
  try {
    const asked = readTfa(files.tfa).get(Buffer.from(userId, 'latin1').toString()) ?? false;
    if (settings.tfa === 'yubico' || asked) return 'asks';
    // Proxmox would also ask for old keys of user.cfg; in both cases the password alone is not enough.
    return settings.tfa === undefined ? 'lets in' : 'refuses';
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return 'refuses';
  }
}

const lower = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
