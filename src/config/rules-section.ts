import { parseNetwork, type Network } from '../rules/network.ts';
import { RULE_ACTIONS, type Rule } from '../rules/rule.ts';
import { z } from '../schema.ts';

/** More rules, or more values in a condition, would make every login slow. */
const MAX_RULES = 256;
const MAX_VALUES = 256;

/** Whoever writes a pattern would take it for one: there are none. */
const NAME = /^[^*?[\]\s]{1,256}$/;

const name = z.string().check(z.regex(NAME, 'it must be a name; there are no patterns'));

const network = z.pipe(
  z.string(),
  z.transform((text, { issues }): Network => {
    const parsed = parseNetwork(text);
    if (parsed === undefined) {
      const message = `${JSON.stringify(text)} must be an address or a network like 192.0.2.0/24 or 2001:db8::/32; names do not count`;
      issues.push({ code: 'custom', message, input: text });
      return z.NEVER;
    }
    return parsed;
  }),
);

/** One value, or a list of them. */
function listOf<T>(value: z.ZodMiniType<T, string>): z.ZodMiniType<T[] | undefined> {
  const list = z.array(value).check(z.minLength(1, 'the list is empty'), z.maxLength(MAX_VALUES));
  return z.optional(
    z.pipe(
      z.transform((given: unknown): unknown[] => (Array.isArray(given) ? given : [given])),
      list,
    ),
  );
}

const rule = z
  .strictObject({
    service: listOf(name),
    user: listOf(name),
    group: listOf(name),
    network: listOf(network),
    action: z.enum(RULE_ACTIONS),
  })
  .check(
    z.refine(
      ({ service, user, group, network: from, action }) =>
        action === 'both' || (service ?? user ?? group ?? from),
      'a rule without any condition may only say "both"',
    ),
  );

/** The `[[rule]]` tables of config.toml. */
export const rulesSchema: z.ZodMiniType<Rule[]> = z._default(z.array(rule).check(z.maxLength(MAX_RULES)), []);
