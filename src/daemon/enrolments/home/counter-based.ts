import { windowSizeOf } from './settings.ts';
import { countersOf } from './six-digits.ts';
import { withOption } from './state-file.ts';
import type { CodeOutcome } from './time-based.ts';

/* Counter-based codes of a file. Pure. */

/**
 * Checks a counter-based code as pam_google_authenticator does: the counter and those after it, as many as the window has.
 *
 * @param text - of the file
 * @param code - six ASCII digits
 * @param secret - of the file
 * @param counter - of the file, from 1 on
 * @returns the result; if accepted, the file's counter is the one after the code's
 */
export function checkCounterBased(
  text: string,
  code: Uint8Array,
  secret: Buffer,
  counter: number,
): CodeOutcome {
  const window = windowSizeOf(text);
  if (typeof window !== 'number') {
    return { kind: 'refused', text, reason: 'bad-file', why: window.bad };
  }
  const matched = countersOf(secret, code, counter, window)[0];
  return matched === undefined
    ? { kind: 'no-match', text }
    : { kind: 'accepted', text: withCounter(text, matched + 1), steps: [] };
}

/**
 * Sets the counter that is expected next.
 *
 * @param text - of the file
 * @param counter - the counter
 * @returns the new text
 */
export function withCounter(text: string, counter: number): string {
  return withOption(text, 'HOTP_COUNTER', String(counter));
}
