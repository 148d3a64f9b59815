/** A user of user.cfg. */
export interface ProxmoxUser {
  /** Old keys, or a marker that there is a second factor: `x`, `x!oath` and so on. A secret. */
  readonly keys: string;
}

/** user.cfg: the users whom Proxmox knows, by `name@realm`. */
export type UserConfig = ReadonlyMap<string, ProxmoxUser>;

const FIELDS_BEFORE_KEYS = 8;

/** root@pam always exists. */
const ROOT = 'root@pam';

/**
 * Reads user.cfg. Like Proxmox, it removes blanks around fields, and ignores lines that it does not need: groups, pools, rights
 * and mistakes. Proxmox also ignores some lines with users that are read here, and refuses those users. Knowing them here lets
 * nobody in.
 *
 * @param text - the whole file
 * @returns the users
 */
export function parseUserConfig(text: string): UserConfig {
  const users = new Map<string, ProxmoxUser>([[ROOT, { keys: '' }]]);
  for (const line of text.split('\n')) {
    const [type, userId = '', ...more] = line.split(':').map((field) => field.trim());
    if (type === 'user' && userId.includes('@')) {
      users.set(userId, { keys: more[FIELDS_BEFORE_KEYS - 2] ?? '' });
    }
  }
  return users;
}
