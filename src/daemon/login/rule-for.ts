import type { Account } from '../enrolments/enrolment.ts';
import { matchRule, NEEDS_GROUPS, type RuleSubject } from '../../policy/match-rule.ts';
import type { Rule } from '../../policy/rule.ts';
import type { Ending } from './login.ts';
import type { LoginRequest } from './login-request.ts';

/* Applies the rules of config.toml to a login. */

/** The user whose groups are looked up. */
export interface Member extends Account {
  /** The user's primary group; undefined if unknown. */
  readonly gid: number | undefined;
  /** Whether a program that is not root causes the look-up. */
  readonly ordinary: boolean;
}

/** The rules, and the look-up of a user's groups. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  /** @returns the names of the user's groups, or why the look-up failed. It never rejects. */
  readonly groupsOf: (member: Member) => Promise<readonly string[] | { readonly why: string }>;
}

/** Without rules. */
export const NO_RULES: RuleBook = { rules: [], groupsOf: () => Promise.resolve([]) };

/** The result of the rules for a login. */
export interface RuledLogin {
  /** How it ends, if a rule says so. */
  readonly ending?: Ending;
  /** Whether a rule requires a code and a touch. */
  readonly both: boolean;
  /** Why the groups are unknown, if a rule depended on them. */
  readonly groupsUnknown?: string;
}

type Ruled = Pick<LoginRequest, 'context' | 'account' | 'gid' | 'trustedHost'>;

/**
 * Finds the first rule that applies to a login. Groups are looked up only if nothing else decides.
 *
 * A program that is not root is not trusted: no `skip` rule applies to it.
 *
 * @param request - who, where, from where
 * @param book - the rules
 * @returns the result
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
