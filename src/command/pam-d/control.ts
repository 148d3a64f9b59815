/** What libpam does with a module's result; a number is the number of steps that it skips. */
export type Action = 'ok' | 'done' | 'bad' | 'die' | 'ignore' | 'reset' | number;

const WORDS: Readonly<Record<string, readonly [success: Action, ignore: Action, others: Action]>> = {
  required: ['ok', 'ignore', 'bad'],
  requisite: ['ok', 'ignore', 'die'],
  sufficient: ['done', 'ignore', 'ignore'],
  optional: ['ok', 'ignore', 'ignore'],
};
/** Values that the words above treat as success. */
const SUCCESSES: ReadonlySet<string> = new Set(['success', 'new_authtok_reqd']);
const ACTIONS: ReadonlySet<string> = new Set(['ok', 'done', 'bad', 'die', 'ignore', 'reset']);

/**
 * The action of a control for a return value (pam.conf(5)).
 *
 * @param control - lower case, as a line of pam.d has it: `required`, `[success=1 default=ignore]`
 * @param value - the value's name without PAM_, lower case, for example `auth_err`
 * @returns the action; `bad` also where libpam does not understand the control
 */
export function actionOf(control: string, value: string): Action {
  const word = WORDS[control];
  if (word !== undefined) {
    const [success, ignore, others] = word;
    return SUCCESSES.has(value) ? success : value === 'ignore' ? ignore : others;
  }
  if (!control.startsWith('[')) {
    return 'bad';
  }
  const pairs = [...control.matchAll(/([a-z_]+)\s*=\s*([a-z0-9]+)/g)].map(
    ([, name = '', action = '']) => [name, action] as const,
  );
  // The first `default` applies to all values that were not named before. If a value is named twice, the last one counts.
  const said =
    pairs.findLast(([name]) => name === value)?.[1] ?? pairs.find(([name]) => name === 'default')?.[1];
  return said === undefined ? 'bad' : parsed(said);
}

function parsed(action: string): Action {
  if (/^\d+$/.test(action)) {
    return Number(action) === 0 ? 'ignore' : Number(action);
  }
  return ACTIONS.has(action) ? (action as Action) : 'bad';
}
