import { nameService } from './name-service.ts';

/** The user whose groups are looked up. */
interface Member {
  readonly name: string;
  readonly uid: number;
  readonly gid: number | undefined;
  /** Whether a program that is not root causes the look-up. */
  readonly ordinary: boolean;
}

/**
 * The groups of an account, for rules. If the look-up fails, that counts against the user.
 *
 * @param member - who
 * @returns the names of the groups, or why the look-up failed. It never rejects.
 */
export async function groupsOfAccount({
  name,
  uid,
  gid,
  ordinary,
}: Member): Promise<readonly string[] | { readonly why: string }> {
  if (gid === undefined) {
    return { why: 'the account has no group' };
  }
  try {
    return await nameService.groupsOf(name, gid, ordinary ? { uid } : undefined);
  } catch (error) {
    return { why: error instanceof Error ? error.message : 'the look-up failed' };
  }
}
