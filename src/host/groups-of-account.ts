import { nameService } from './name-service.ts';

/** Whose groups are asked for. */
interface Member {
  readonly name: string;
  readonly uid: number;
  readonly gid: number | undefined;
  /** Whether a program that is not root causes it. */
  readonly ordinary: boolean;
}

/**
 * The groups of an account, for rules: what cannot be found out counts against the user.
 *
 * @param member - who
 * @returns the names of the groups, or why they cannot be found out. It never rejects.
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
