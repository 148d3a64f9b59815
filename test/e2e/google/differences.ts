import type { RandomCase, RandomLogin } from './random-cases.ts';

/** The result of a login: its end, and the file after it. */
export interface Came {
  readonly end: unknown;
  readonly shown: readonly string[];
  readonly passes: string | null;
  /** The state file, with {now} for the moment of the login. */
  readonly text: string;
}

/** A login that ended differently for the two modules. */
export interface Met {
  readonly random: RandomCase;
  readonly login: RandomLogin;
  /** The file before it, the same for both. */
  readonly before: string;
  readonly ours: Came;
  readonly theirs: Came;
  /** The distance in steps of the codes that let somebody in before, with our module. */
  readonly accepted: readonly number[];
  /** The time step of the phone. */
  readonly step: number;
  /** The release of Debian's module. */
  readonly version: string;
}

/** A deliberate difference. Each also has rows in the table. */
export interface Deliberate {
  readonly why: string;
  readonly explains: (met: Met) => boolean;
}

/** All deliberate differences. Any other difference is a mistake. */
export const DELIBERATE: readonly Deliberate[] = [
  {
    why: 'a try that was held back does not prolong the wait',
    explains: ({ ours, theirs, before }) =>
      sameEnd(ours, theirs) &&
      ours.shown.length === 0 &&
      ours.text === before &&
      onlyLines(ours, theirs, ['RATE_LIMIT']),
  },
  {
    why: 'what is no code is no try',
    explains: ({ ours, theirs, before, login, random }) =>
      sameEnd(ours, theirs) &&
      ours.text === before &&
      looked(login, random).every((text) => !hasCode(text)) &&
      onlyLines(ours, theirs, ['RATE_LIMIT']),
  },
  {
    why: 'spaces and dashes between the digits are taken for what they are',
    explains: ({ login, random }) =>
      !random.options.includes('forward_pass') && /^ \{|^[0-9]+-[0-9]+$/.test(login.answer),
  },
  {
    why: 'the codes that were taken for the clock are used up',
    explains: ({ ours, theirs, before }) =>
      sameEnd(ours, theirs) &&
      ours.end === 'in' &&
      has(before, 'RESETTING_TIME_SKEW') &&
      onlyLines(ours, theirs, ['DISALLOW_REUSE']),
  },
  {
    why: 'a used code shows no clock: neither one that is listed, nor one at or before the last that let somebody in',
    explains: ({ ours, theirs, login, random, before, accepted, step }) =>
      ours.end === 'out' &&
      (theirs.text.includes('" RESETTING_TIME_SKEW') || has(before, 'RESETTING_TIME_SKEW')) &&
      looked(login, random).some((text) => {
        const offset = offsetOf(text);
        return (
          offset !== undefined &&
          (accepted.some((last) => offset <= last) || listed(before).includes(String(step + offset)))
        );
      }),
  },
  {
    why: 'a login is noted even if nothing else is to be written',
    explains: ({ ours, theirs, before, random, login, version }) =>
      version < '1.09' &&
      random.options.includes('grace_period') &&
      login.rhost !== undefined &&
      sameEnd(ours, theirs) &&
      ours.end === 'in' &&
      theirs.text === before &&
      /" LAST\d \S+ \{now\}/.test(ours.text),
  },
  {
    why: 'a password may end in digits: the question follows whatever they are worth',
    explains: ({ ours, theirs, login, random }) =>
      random.options.includes('try_first_pass') &&
      stacked(login, random).some(hasCode) &&
      ours.shown.length > theirs.shown.length,
  },
  {
    why: 'digits at the end of a password move no counter where a question follows',
    explains: ({ ours, theirs, login, random }) =>
      sameEnd(ours, theirs) &&
      random.options.includes('try_first_pass') &&
      stacked(login, random).some(hasCode) &&
      onlyLines(ours, theirs, ['HOTP_COUNTER']),
  },
];

/**
 * The deliberate difference that explains two different ends of a login.
 *
 * @param met - what came
 * @returns why; undefined: none does
 */
export function explained(met: Met): string | undefined {
  return DELIBERATE.find(({ explains }) => explains(met))?.why;
}

function sameEnd(ours: Came, theirs: Came): boolean {
  return (
    ours.end === theirs.end &&
    ours.passes === theirs.passes &&
    ours.shown.join('\n') === theirs.shown.join('\n')
  );
}

/** Whether the two files are the same but for lines with these keys, and the empty ones that go when such a line is written. */
function onlyLines(ours: Came, theirs: Came, keys: readonly string[]): boolean {
  const without = (text: string): string =>
    text
      .split('\n')
      .filter((line) => line.trim() !== '' && !keys.some((key) => line.startsWith(`" ${key}`)))
      .join('\n');
  return without(ours.text) === without(theirs.text);
}

function has(text: string, key: string): boolean {
  return new RegExp(`^" ${key}(?:[ \\t\\r]|$)`, 'm').test(text);
}

function listed(text: string): string[] {
  return /^" DISALLOW_REUSE(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
}

/** The password that the module checks. */
function stacked({ password }: RandomLogin, { options }: RandomCase): string[] {
  return password !== undefined && /(?:try|use)_first_pass/.test(options) ? [password] : [];
}

/** The checked part of an answer: without forward_pass it must be digits only; with it, it must end in digits. */
function looked(login: RandomLogin, random: RandomCase): string[] {
  const whole = /^\s*(?:\{[^}]*\}|[0-9]{6}|[0-9]{8})\s*$/.test(login.answer);
  const answer = random.options.includes('forward_pass')
    ? [login.answer]
    : whole
      ? [login.answer.trim()]
      : [];
  return [...answer, ...stacked(login, random)];
}

/** Whether a text of a case ends in six or eight digits. */
function hasCode(text: string): boolean {
  return /(?:\{(?:code|hotp|wrong)[^}]*\}|[0-9]{6})$/.test(text);
}

function offsetOf(text: string): number | undefined {
  const [, offset] = /\{code([+-]\d+)?\}$/.exec(text) ?? [undefined, undefined];
  return /\{code[^}]*\}$/.test(text) ? Number(offset ?? 0) : undefined;
}
