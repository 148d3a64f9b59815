import { contains, parseAddress } from './network.ts';
import type { Rule, RuleAction } from './rule.ts';

/** What rules look at. */
export interface RuleSubject {
  /** The PAM service. */
  readonly service: string;
  /** Canonical name; undefined if there is no such user. */
  readonly user: string | undefined;
  /** Names of the user's groups, if they were looked up. `unknown`: the look-up failed. */
  readonly groups: readonly string[] | 'unknown' | 'not-asked';
  /** The remote host from the service; undefined if the login is local. */
  readonly remoteHost: string | undefined;
}

/** The same, after the groups were looked up. */
export interface KnownSubject extends RuleSubject {
  readonly groups: Exclude<RuleSubject['groups'], 'not-asked'>;
}

/** Whether a condition, or a whole rule, holds. */
type Truth = 'yes' | 'no' | 'unknown';

/** The result of a rule that cannot be decided yet. */
export const NEEDS_GROUPS = 'needs-groups';

/** Why a rule does or does not apply. */
export interface RuleExplanation {
  readonly applies: boolean;
  /** The deciding conditions: the first one that does not hold, or all that hold. */
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
 * Looks for the first rule that applies. Groups are checked last, so that no login waits for the name service if another
 * condition decides.
 *
 * Unknown facts count against the user. If the remote host is a name and not a literal address, or the look-up of the groups
 * failed, a `skip` rule does not apply, and a `deny` or `both` rule does.
 *
 * @param rules - in their order
 * @param subject - who logs in, where, from where
 * @returns the rule; undefined when none applies; NEEDS_GROUPS when it depends on groups that were not looked up
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
    throw new Error('The groups have not been looked up');
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
    return { holds: 'unknown', why: 'the groups of the user cannot be looked up' };
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
