const USER_ID = /^[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+$/;
const SHORTEST = 3;
const LONGEST = 64;

/**
 * Whether Proxmox takes a text for a user: `name@realm`.
 *
 * @param text - any text
 * @returns whether it does
 */
export function isUserId(text: string): boolean {
  return text.length >= SHORTEST && text.length <= LONGEST && USER_ID.test(text);
}

/**
 * The realm of a user: what follows the last `@`.
 *
 * @param userId - `name@realm`
 * @returns the realm
 */
export function realmOf(userId: string): string {
  return userId.slice(userId.lastIndexOf('@') + 1);
}
