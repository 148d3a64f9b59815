import { z } from 'zod';
import { parseNetwork, type Network } from '../rules/network.ts';
import { RULE_ACTIONS, type Rule } from '../rules/rule.ts';

/** More rules, or more values in a condition, would make every login slow. */
const MAX_RULES = 256;
const MAX_VALUES = 256;

/** Whoever writes a pattern would take it for one: there are none. */
const NAME = /^[^*?[\]\s]{1,256}$/;

const name = z.string().regex(NAME, 'it must be a name; there are no patterns');

const network = z.string().transform((text, context): Network => {
  const parsed = parseNetwork(text);
  if (parsed === undefined) {
    const message = `${JSON.stringify(text)} must be an address or a network like 192.0.2.0/24 or 2001:db8::/32; names do not count`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  return parsed;
});

/** One value, or a list of them. */
function listOf<T>(value: z.ZodType<T, string>): z.ZodType<T[] | undefined> {
  return z
    .preprocess(
      (given): unknown[] => (Array.isArray(given) ? given : [given]),
      z.array(value).min(1, 'the list is empty').max(MAX_VALUES),
    )
    .optional();
}

const rule = z
  .strictObject({
    service: listOf(name),
    user: listOf(name),
    group: listOf(name),
    network: listOf(network),
    action: z.enum(RULE_ACTIONS),
  })
  .refine(
    ({ service, user, group, network: from, action }) =>
      action === 'both' || (service ?? user ?? group ?? from),
    'a rule without any condition may only say "both"',
  );

/** The `[[rule]]` tables of config.toml. */
export const rulesSchema: z.ZodType<Rule[]> = z.array(rule).max(MAX_RULES).default([]);
