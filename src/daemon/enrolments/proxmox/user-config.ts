/** What user.cfg says of a user. */
export interface ProxmoxUser {
  /** Old keys, or a marker that there is a second factor: `x`, `x!oath` and so on. A secret. */
  readonly keys: string;
}

/** user.cfg: the users whom Proxmox knows, by `name@realm`. */
export type UserConfig = ReadonlyMap<string, ProxmoxUser>;

const FIELDS_BEFORE_KEYS = 8;

/** root@pam is there whatever the file says. */
const ROOT = 'root@pam';

/**
 * Reads user.cfg. Like Proxmox, it takes blanks around a field away, and passes over lines that it does not understand: groups, pools,
 * rights and mistakes. Proxmox passes over more of them, and refuses these users; to know them here opens nothing.
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
