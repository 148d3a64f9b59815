import { stepSizeOf, timeSkewOf, windowSizeOf } from './settings.ts';
import { countersOf } from './six-digits.ts';
import { optionValue, withOption } from './state-file.ts';

/* Time-based codes of a file: window, reuse, and learning a clock. Pure. */

/** The result of a code: the new text of the file, and the steps that are used up. */
export type CodeOutcome =
  | { readonly kind: 'accepted'; readonly text: string; readonly steps: readonly number[] }
  /** This reading of the answer does not fit; another one may. */
  | { readonly kind: 'no-match'; readonly text: string }
  /** Refused; no other reading of the answer is tried. */
  | {
      readonly kind: 'refused';
      readonly text: string;
      readonly reason: 'code-already-used' | 'clock-differs' | 'bad-file';
      readonly why: string;
    };

/** What a time-based code is checked with. */
export interface TimeTerms {
  readonly secret: Buffer;
  /** Seconds since 1970. */
  readonly now: number;
  /** Whether a phone's different clock may be learnt. */
  readonly adjustSkew: boolean;
  /** The largest step that was ever accepted, or -1. While a clock is being learnt, steps up to this one do not count. */
  readonly lastStep: number;
  /**
   * The largest step that was accepted while the file could not be written, if any. If each code counts once, steps up to this
   * one do not count.
   */
  readonly unwrittenStep?: number;
}

/** The range of steps, before and after now, in which a different clock is recognised: half a day of 30-second steps. */
const SKEW_STEPS = 1_500;
/** The number of codes in a row that show how far a clock is off. */
const SKEW_CODES = 3;

/**
 * Checks a time-based code as pam_google_authenticator does. Unlike that module, it refuses codes from before the window of the
 * last right one, because the list in the file no longer shows whether they were used.
 *
 * @param text - of the file
 * @param code - six ASCII digits
 * @param terms - secret, time, options
 * @returns the result
 */
export function checkTimeBased(text: string, code: Uint8Array, terms: TimeTerms): CodeOutcome {
  const stepSize = stepSizeOf(text);
  const window = windowSizeOf(text);
  if (typeof stepSize !== 'number' || typeof window !== 'number') {
    const why = typeof stepSize === 'number' ? (window as { bad: string }).bad : stepSize.bad;
    return { kind: 'refused', text, reason: 'bad-file', why };
  }
  const current = Math.floor(terms.now / stepSize);
  const skewed = current + timeSkewOf(text);
  const first = skewed - Math.floor((window - 1) / 2);
  const matched = countersOf(terms.secret, code, first, window)[0];
  if (matched !== undefined) {
    return spend(text, matched, window, terms);
  }
  const skews = terms.adjustSkew
    ? countersOf(terms.secret, code, current - SKEW_STEPS + 1, 2 * SKEW_STEPS - 1)
    : [];
  const nearest = skews.map((step) => step - current).sort(byDistance)[0];
  return nearest === undefined
    ? { kind: 'no-match', text }
    : learnSkew(text, current, nearest, window, terms.lastStep);
}

/** The nearest step first; of two equally near, the earlier. */
function byDistance(a: number, b: number): number {
  return Math.abs(a) - Math.abs(b) || a - b;
}

/** If codes may not be used again, the file lists the used steps that would still fit. */
function spend(text: string, step: number, window: number, terms: TimeTerms): CodeOutcome {
  const listed = optionValue(text, 'DISALLOW_REUSE');
  if (step <= terms.lastStep - window || (listed !== undefined && step <= (terms.unwrittenStep ?? -1))) {
    return { kind: 'refused', text, reason: 'code-already-used', why: 'the code was used before' };
  }
  if (listed === undefined) {
    return { kind: 'accepted', text, steps: [step] };
  }
  const used = usedSteps(listed);
  if (used === undefined) {
    return { kind: 'refused', text, reason: 'bad-file', why: 'Invalid list of steps in DISALLOW_REUSE' };
  }
  if (used.includes(step)) {
    return { kind: 'refused', text, reason: 'code-already-used', why: 'the code was used before' };
  }
  return {
    kind: 'accepted',
    text: withOption(text, 'DISALLOW_REUSE', withSteps(listed, [step], window)),
    steps: [step],
  };
}

/** Blanks before a dropped step stay, as pam_google_authenticator leaves them. */
function withSteps(listed: string, steps: readonly number[], window: number): string {
  const newest = Math.max(...steps);
  const kept = listed.replaceAll(/([0-9]+)[ \t]*/g, (entry, used: string) =>
    Math.abs(Number(used) - newest) < window ? entry : '',
  );
  return [...(kept === '' ? [] : [kept]), ...steps].join(' ');
}

/**
 * The steps that DISALLOW_REUSE lists.
 *
 * @param listed - the value of the option
 * @returns the steps; undefined when it lists something else
 */
export function usedSteps(listed: string): number[] | undefined {
  const words = listed.split(/[ \t]+/).filter((word) => word !== '');
  return words.every((word) => /^[0-9]{1,15}$/.test(word)) ? words.map(Number) : undefined;
}

interface Sighting {
  readonly step: number;
  readonly skew: number;
}

/**
 * Learns a phone's different clock from three codes in a row that are off by the same amount. Unlike pam_google_authenticator, it
 * refuses used codes: listed ones, and those up to the last one that let somebody in.
 */
function learnSkew(text: string, step: number, skew: number, window: number, lastStep: number): CodeOutcome {
  const refused = (
    changed: string,
    reason: 'code-already-used' | 'clock-differs',
    why: string,
  ): CodeOutcome => ({
    kind: 'refused',
    text: changed,
    reason,
    why,
  });
  const listedSteps = optionValue(text, 'DISALLOW_REUSE');
  const used = usedSteps(listedSteps ?? '') ?? [];
  if (step + skew <= lastStep || used.includes(step + skew)) {
    return refused(text, 'code-already-used', 'the code was used before');
  }
  const before = sightings(optionValue(text, 'RESETTING_TIME_SKEW') ?? '');
  const last = before.at(-1);
  if (last !== undefined && last.step + last.skew === step + skew) {
    return refused(text, 'clock-differs', 'the same code again: the clock of the phone differs');
  }
  const all = [...before, { step, skew }].slice(-SKEW_CODES);
  if (!agree(all, skew)) {
    const seen = all.map((one) => `${one.step}${one.skew < 0 ? '' : '+'}${one.skew}`).join(' ');
    const changed = withOption(text, 'RESETTING_TIME_SKEW', seen);
    return refused(
      changed,
      'clock-differs',
      'the clock of the phone differs: three codes in a row are needed',
    );
  }
  const average = Math.trunc(all.reduce((sum, one) => sum + one.skew, 0) / SKEW_CODES);
  const adjusted = withOption(withOption(text, 'TIME_SKEW', String(average)), 'RESETTING_TIME_SKEW', '');
  const steps = all.map((one) => one.step + one.skew);
  const listed =
    listedSteps === undefined
      ? adjusted
      : withOption(adjusted, 'DISALLOW_REUSE', withSteps(listedSteps, steps, window));
  return { kind: 'accepted', text: listed, steps };
}

function sightings(value: string): Sighting[] {
  const seen: Sighting[] = [];
  for (const word of value.split(/[ \t]+/).filter((part) => part !== '')) {
    const [, step, skew] = /^([0-9]{1,15})([+-][0-9]{1,9})$/.exec(word) ?? [];
    if (step === undefined || skew === undefined) {
      break;
    }
    seen.push({ step: Number(step), skew: Number(skew) });
  }
  return seen.slice(-SKEW_CODES);
}

/** Each step comes one or two after the one before, and no skew differs by more than one from the last. */
function agree(all: readonly Sighting[], skew: number): boolean {
  return (
    all.length === SKEW_CODES &&
    all.every((one, index) => {
      const before = all[index - 1];
      return (
        before === undefined ||
        (one.step > before.step && one.step <= before.step + 2 && Math.abs(before.skew - skew) <= 1)
      );
    })
  );
}
