import { contains, parseAddress } from './network.ts';
import type { Rule, RuleAction } from './rule.ts';

/** What rules look at. */
export interface RuleSubject {
  /** The PAM service. */
  readonly service: string;
  /** Canonical name; undefined: there is no such user. */
  readonly user: string | undefined;
  /** Names of the user's groups, if anybody has looked. `unknown`: they could not be found out. */
  readonly groups: readonly string[] | 'unknown' | 'not-asked';
  /** The remote host as the service names it; undefined: the login is local. */
  readonly remoteHost: string | undefined;
}

/** The same when somebody has looked for the groups. */
export interface KnownSubject extends RuleSubject {
  readonly groups: Exclude<RuleSubject['groups'], 'not-asked'>;
}

/** How a condition, or all of a rule, holds. */
type Truth = 'yes' | 'no' | 'unknown';

/** What a rule needs to know before anybody can say whether it applies. */
export const NEEDS_GROUPS = 'needs-groups';

/** Why a rule does or does not apply. */
export interface RuleExplanation {
  readonly applies: boolean;
  /** What decided: the first condition that does not hold, or those that do. */
  readonly because: string;
}

/** The rule that applies. */
export interface RuleMatch {
  /** Its place in the configuration, from 1 on. */
  readonly number: number;
  readonly action: RuleAction;
  readonly because: string;
}

/**
 * Looks for the first rule that applies. Groups decide last, so that nobody waits for a name service whom another condition decides about.
 *
 * What cannot be known counts against the one who logs in: where the remote host is a name and not a literal address, or the
 * groups cannot be found out, a `skip` does not apply, and a `deny` or `both` does.
 *
 * @param rules - in their order
 * @param subject - who logs in, where, from where
 * @returns the rule; undefined when none applies; NEEDS_GROUPS when it depends on groups that nobody has asked for
 */
export function matchRule(
  rules: readonly Rule[],
  subject: RuleSubject,
): RuleMatch | typeof NEEDS_GROUPS | undefined {
  for (const [index, rule] of rules.entries()) {
    const explanation = explanationOf(rule, subject);
    if (explanation === NEEDS_GROUPS) {
      return NEEDS_GROUPS;
    }
    if (explanation.applies) {
      return { number: index + 1, action: rule.action, because: explanation.because };
    }
  }
  return undefined;
}

/**
 * Says whether a rule applies, and why.
 *
 * @param rule - the rule
 * @param subject - who logs in, where, from where
 * @returns both, in words
 */
export function explainRule(rule: Rule, subject: KnownSubject): RuleExplanation {
  const explanation = explanationOf(rule, subject);
  if (explanation === NEEDS_GROUPS) {
    throw new Error('Nobody has looked for the groups');
  }
  return explanation;
}

function explanationOf(rule: Rule, subject: RuleSubject): RuleExplanation | typeof NEEDS_GROUPS {
  const group = groupCondition(rule, subject);
  const conditions = [
    serviceCondition(rule, subject),
    userCondition(rule, subject),
    networkCondition(rule, subject),
    group === NEEDS_GROUPS ? undefined : group,
  ].filter((condition) => condition !== undefined);
  const failing = conditions.find(
    ({ holds }) => holds === 'no' || (holds === 'unknown' && rule.action === 'skip'),
  );
  if (failing === undefined && group === NEEDS_GROUPS) {
    return NEEDS_GROUPS;
  }
  return failing === undefined
    ? { applies: true, because: conditions.map(({ why }) => why).join('; ') || 'it has no condition' }
    : { applies: false, because: failing.why };
}

interface Condition {
  readonly holds: Truth;
  readonly why: string;
}

function serviceCondition({ service }: Rule, subject: RuleSubject): Condition | undefined {
  return (
    service && { holds: truth(service.includes(subject.service)), why: `the service is ${subject.service}` }
  );
}

function userCondition({ user }: Rule, subject: RuleSubject): Condition | undefined {
  if (user === undefined) {
    return undefined;
  }
  return subject.user === undefined
    ? { holds: 'no', why: 'there is no such user' }
    : { holds: truth(user.includes(subject.user)), why: `the user is ${subject.user}` };
}

function groupCondition(
  { group }: Rule,
  { user, groups }: RuleSubject,
): Condition | typeof NEEDS_GROUPS | undefined {
  if (group === undefined) {
    return undefined;
  }
  if (user === undefined) {
    return { holds: 'no', why: 'there is no such user' };
  }
  if (groups === 'not-asked') {
    return NEEDS_GROUPS;
  }
  if (groups === 'unknown') {
    return { holds: 'unknown', why: 'the groups of the user cannot be found out' };
  }
  const common = group.find((name) => groups.includes(name));
  return common === undefined
    ? { holds: 'no', why: `the user is not in ${group.join(' or ')}` }
    : { holds: 'yes', why: `the user is in ${common}` };
}

function networkCondition({ network }: Rule, { remoteHost }: RuleSubject): Condition | undefined {
  if (network === undefined) {
    return undefined;
  }
  if (remoteHost === undefined || remoteHost === '') {
    return { holds: 'no', why: 'the login is local' };
  }
  const address = parseAddress(remoteHost);
  if (address === undefined) {
    return { holds: 'unknown', why: `${remoteHost} is not a literal address` };
  }
  const found = network.find((each) => contains(each, address));
  return found === undefined
    ? { holds: 'no', why: `${address.text} is not in ${network.map(({ text }) => text).join(' or ')}` }
    : { holds: 'yes', why: `${address.text} is in ${found.text}` };
}

function truth(holds: boolean): Truth {
  return holds ? 'yes' : 'no';
}
