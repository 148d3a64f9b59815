import type { Account } from '../enrolments/enrolment.ts';
import { matchRule, NEEDS_GROUPS, type RuleSubject } from '../../policy/match-rule.ts';
import type { Rule } from '../../policy/rule.ts';
import type { Ending } from './login.ts';
import type { LoginRequest } from './login-request.ts';

/** Whose groups are asked for. */
export interface Member extends Account {
  /** The user's own group; undefined: it is not known. */
  readonly gid: number | undefined;
  /** Whether a program that is not root causes it. */
  readonly ordinary: boolean;
}

/** The rules, and how to find out which groups a user is in. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  /** @returns the names of the user's groups, or why they cannot be found out. It never rejects. */
  readonly groupsOf: (member: Member) => Promise<readonly string[] | { readonly why: string }>;
}

/** Where there is no rule. */
export const NO_RULES: RuleBook = { rules: [], groupsOf: () => Promise.resolve([]) };

/** What the rules make of a login. */
export interface RuledLogin {
  /** How it ends, if a rule says so. */
  readonly ending?: Ending;
  /** Whether a rule wants a code and a touch. */
  readonly both: boolean;
  /** Why the groups, which it depended on, are not known. */
  readonly groupsUnknown?: string;
}

type Ruled = Pick<LoginRequest, 'context' | 'account' | 'gid' | 'trustedHost'>;

/**
 * Looks for the rule that applies to a login, from the top. Groups are asked for only if a rule depends on nothing else any more.
 *
 * What a program says that is not root is not believed: nothing is skipped for it.
 *
 * @param request - who, where, from where
 * @param book - the rules
 * @returns what the rules say
 */
export async function ruleFor(request: Ruled, book: RuleBook): Promise<RuledLogin> {
  const rules = request.trustedHost ? book.rules : book.rules.filter(({ action }) => action !== 'skip');
  const subject = subjectOf(request);
  const match = matchRule(rules, subject);
  const { account, gid, trustedHost } = request;
  if (match !== NEEDS_GROUPS || account === undefined) {
    return ruled(match);
  }
  const groups = await book.groupsOf({ ...account, gid, ordinary: !trustedHost });
  return 'why' in groups
    ? { ...ruled(matchRule(rules, { ...subject, groups: 'unknown' })), groupsUnknown: groups.why }
    : ruled(matchRule(rules, { ...subject, groups }));
}

function ruled(match: ReturnType<typeof matchRule>): RuledLogin {
  if (match === NEEDS_GROUPS) {
    throw new Error('The groups are known, and asked for again');
  }
  switch (match?.action) {
    case 'skip':
      return { both: false, ending: { code: 'exempt', reason: 'exempt-by-rule', why: match.because } };
    case 'deny':
      return { both: false, ending: { code: 'denied', reason: 'denied-by-rule', why: match.because } };
    case 'both':
      return { both: true };
    case undefined:
      return { both: false };
  }
}

function subjectOf({ account, context }: Ruled): RuleSubject {
  return {
    service: textOf(context.service) ?? '',
    user: account?.name,
    groups: 'not-asked',
    remoteHost: textOf(context.rhost),
  };
}

function textOf(value: string | Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}
