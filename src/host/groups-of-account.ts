import { groupsOf, lookUpUser } from './addon.ts';

/**
 * The groups of an account, for rules: what cannot be found out counts against the user.
 *
 * @param account - who
 * @returns the names of the groups; undefined when they cannot be found out. It never rejects.
 */
export async function groupsOfAccount({
  name,
}: {
  readonly name: string;
}): Promise<readonly string[] | undefined> {
  try {
    const entry = await lookUpUser(name);
    return entry === undefined ? undefined : await groupsOf(name, entry.gid);
  } catch {
    return undefined;
  }
}
