/**
 * The realm of a user: what follows the last `@`.
 *
 * @param userId - `name@realm`
 * @returns the realm
 */
export function realmOf(userId: string): string {
  return userId.slice(userId.lastIndexOf('@') + 1);
}
