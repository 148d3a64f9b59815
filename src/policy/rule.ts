import type { Network } from './network.ts';

/**
 * The action of a rule. `skip`: the module lets the login pass, as if it were not in the stack. `deny`: nobody gets in. `both`: a
 * code and a
 * touch of a YubiKey are needed.
 */
export const RULE_ACTIONS = ['skip', 'deny', 'both'] as const;
export type RuleAction = (typeof RULE_ACTIONS)[number];

/**
 * A rule of the configuration. All its conditions must hold. A condition holds if one of its values matches. Undefined: no such
 * condition.
 */
export interface Rule {
  /** Names of PAM services. */
  readonly service: readonly string[] | undefined;
  /** Canonical names of users. */
  readonly user: readonly string[] | undefined;
  /** Names of groups that the user is in. */
  readonly group: readonly string[] | undefined;
  /** Where the login comes from. */
  readonly network: readonly Network[] | undefined;
  readonly action: RuleAction;
}
