import { parseNetwork, type Network } from '../policy/network.ts';
import { RULE_ACTIONS, type Rule } from '../policy/rule.ts';
import { z } from '../contracts/schema.ts';

/** More rules, or more values in a condition, would make every login slow. */
const MAX_RULES = 256;
const MAX_VALUES = 256;

/** Refused, because somebody might expect a pattern to work. */
const NOT_A_NAME = 'it must be a name; there are no patterns';
const SERVICE = /^[^*?[\]\s]{1,256}$/;
/** Of a directory, such as `Domain Users`: blanks inside, but no control characters, and nothing that nobody sees at its ends. */
const ACCOUNT = /^(?!\s)[^*?[\]\p{Cc}\p{Zl}\p{Zp}]{1,256}(?<!\s)$/u;

const service = z.string().check(z.regex(SERVICE, NOT_A_NAME));
const account = z.string().check(z.regex(ACCOUNT, NOT_A_NAME));

const network = z.pipe(
  z.string(),
  z.transform((text, { issues }): Network => {
    const parsed = parseNetwork(text);
    if (parsed === undefined) {
      const message = `${JSON.stringify(text)} must be an address or a network like 192.0.2.0/24 or 2001:db8::/32; names are not allowed`;
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
    service: listOf(service),
    user: listOf(account),
    group: listOf(account),
    network: listOf(network),
    action: z.enum(RULE_ACTIONS),
  })
  .check(
    z.refine(
      ({ service: at, user, group, network: from, action }) =>
        action === 'both' || (at ?? user ?? group ?? from),
      'a rule without a condition may only have the action "both"',
    ),
  );

/** The `[[rule]]` tables of config.toml. */
export const rulesSchema: z.ZodMiniType<Rule[]> = z._default(z.array(rule).check(z.maxLength(MAX_RULES)), []);
