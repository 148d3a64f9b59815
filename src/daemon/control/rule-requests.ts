import { nameService } from '../../host/name-service.ts';
import { answered, ROOT } from './callers.ts';
import type { RuleBook } from '../login/rule-for.ts';
import { explainRule, type KnownSubject } from '../../policy/match-rule.ts';
import type { RuleTest } from '../../contracts/control-requests.ts';

/** What a test of the rules needs. */
export interface RulePorts {
  readonly rules: RuleBook;
}

/**
 * Says which rules would apply to a login.
 *
 * @param ports - the rules
 * @param service - PAM service
 * @param user - name of the user
 * @param address - the remote host; undefined: a local login
 * @returns each rule, whether it applies, and why; the first one that applies decides
 */
export async function testRules(
  { rules: book }: RulePorts,
  service: string,
  user: string,
  address: string | undefined,
): Promise<RuleTest> {
  const entry =
    user === '' || user.includes('\0') ? undefined : await answered(nameService.userNamed(user, ROOT));
  const groups =
    entry === undefined
      ? []
      : await book.groupsOf({ name: entry.name, uid: entry.uid, gid: entry.gid, ordinary: false });
  const subject: KnownSubject = {
    service,
    user: entry?.name,
    groups: 'why' in groups ? 'unknown' : groups,
    remoteHost: address,
  };
  const rules = book.rules.map((rule, index) => ({
    number: index + 1,
    action: rule.action,
    ...explainRule(rule, subject),
  }));
  return {
    userExists: entry !== undefined,
    rules,
    holds: rules.find(({ applies }) => applies)?.number ?? null,
  };
}
