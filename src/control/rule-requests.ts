import { lookUpUser } from '../host/addon.ts';
import type { RuleBook } from '../login/rule-for.ts';
import { explainRule, type RuleSubject } from '../rules/match-rule.ts';
import type { RuleTest } from './requests.ts';

/** What a test of the rules needs. */
export interface RulePorts {
  readonly rules: RuleBook;
}

/**
 * Says what the rules make of a login, without one.
 *
 * @param ports - the rules
 * @param service - PAM service
 * @param user - name of the user
 * @param address - the remote host; undefined: a local login
 * @returns each rule with whether it applies and why; the first that applies holds
 */
export async function testRules(
  { rules: book }: RulePorts,
  service: string,
  user: string,
  address: string | undefined,
): Promise<RuleTest> {
  const entry = user === '' || user.includes('\0') ? undefined : await lookUpUser(user);
  const account = entry === undefined ? undefined : { name: entry.name, uid: entry.uid };
  const subject: RuleSubject = {
    service,
    user: account?.name,
    groups: account === undefined ? [] : await book.groupsOf(account),
    remoteHost: address,
  };
  const rules = book.rules.map((rule, index) => ({
    number: index + 1,
    action: rule.action,
    ...explainRule(rule, subject),
  }));
  return {
    userExists: account !== undefined,
    rules,
    holds: rules.find(({ applies }) => applies)?.number ?? null,
  };
}
