import type { PasswdEntry } from '../../host/addon.ts';
import type { Account, EnrolmentSource, Enrolments } from './enrolment.ts';
import { DEFAULT_LOOKUP } from '../../config/lookup-options.ts';

/* Look-ups for the command, which has no line of pam.d. */

/**
 * Looks up all enrolments of an account, without options from a line of pam.d.
 *
 * @param enrolments - all of them
 * @param findUser - finds the passwd entry of an account by its name
 * @returns a source
 */
export function forAccount(
  enrolments: Enrolments,
  findUser: (account: Account) => Promise<PasswdEntry | undefined>,
): EnrolmentSource {
  return {
    async lookUp(account) {
      let entry: PasswdEntry | undefined;
      try {
        entry = await findUser(account);
      } catch {
        return { kind: 'failed', why: `the account ${account.name} cannot be looked up` };
      }
      // Without this account's entry, there is no home to look into.
      const { gid, home } = entry?.uid === account.uid ? entry : { gid: undefined, home: undefined };
      const lookup = await enrolments.lookUp({
        account,
        gid,
        home,
        loginName: account.name,
        rhost: undefined,
        options: DEFAULT_LOOKUP,
      });
      switch (lookup.kind) {
        case 'refused':
          return { kind: 'failed', why: lookup.why ?? lookup.reason };
        case 'spared':
          return { kind: 'failed', why: 'nothing was checked' };
        case 'absent':
        case 'enrolled':
        case 'blocked':
        case 'failed':
          return lookup;
      }
    },
  };
}
