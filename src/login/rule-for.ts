import type { Account } from '../enrolments/enrolment.ts';
import { matchRule, type RuleSubject } from '../rules/match-rule.ts';
import type { Rule } from '../rules/rule.ts';
import type { Ending } from './login.ts';
import type { LoginRequest } from './login-request.ts';

/** The rules, and how to find out which groups a user is in. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  /** @returns the names of the user's groups; undefined when they cannot be found out. It never rejects. */
  readonly groupsOf: (account: Account) => Promise<readonly string[] | undefined>;
}

/** Where there is no rule. */
export const NO_RULES: RuleBook = { rules: [], groupsOf: () => Promise.resolve(undefined) };

/** What a rule makes of a login. */
export interface RuledLogin {
  /** Undefined: a code and a touch are wanted. */
  readonly ending: Ending | undefined;
}

type Ruled = Pick<LoginRequest, 'context' | 'account' | 'trustedHost'>;

/**
 * Looks for the rule that applies to a login.
 *
 * What a program says that is not root is not believed: nothing is skipped for it.
 *
 * @param request - who, where, from where
 * @param book - the rules
 * @returns what the rule says; undefined when there is none
 */
export async function ruleFor(request: Ruled, book: RuleBook): Promise<RuledLogin | undefined> {
  const rules = request.trustedHost ? book.rules : book.rules.filter(({ action }) => action !== 'skip');
  if (rules.length === 0) {
    return undefined;
  }
  const match = matchRule(rules, await subjectOf(request, rules, book));
  switch (match?.action) {
    case 'skip':
      return { ending: { code: 'exempt', reason: 'exempt-by-rule', why: match.because } };
    case 'deny':
      return { ending: { code: 'denied', reason: 'denied-by-rule', why: match.because } };
    case 'both':
      return { ending: undefined };
    case undefined:
      return undefined;
  }
}

async function subjectOf(
  { account, context }: Ruled,
  rules: readonly Rule[],
  { groupsOf }: RuleBook,
): Promise<RuleSubject> {
  const wanted = account !== undefined && rules.some(({ group }) => group !== undefined);
  return {
    service: textOf(context.service) ?? '',
    user: account?.name,
    groups: wanted ? await groupsOf(account) : [],
    remoteHost: textOf(context.rhost),
  };
}

function textOf(value: string | Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
