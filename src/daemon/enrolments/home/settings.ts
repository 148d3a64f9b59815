import { decodeBase32 } from '../../../factors/base32.ts';
import { isTimeBased, optionValue, secretText } from './state-file.ts';

/* Parses the options of a file. Pure. */

/** A setting that makes the file unusable. The texts are those of pam_google_authenticator. */
export interface BadSetting {
  readonly bad: string;
}

const DEFAULT_STEP_SIZE = 30;
const MAX_STEP_SIZE = 60;
const DEFAULT_WINDOW_SIZE = 3;
const MAX_WINDOW_SIZE = 100;
/** The largest number of attempts that RATE_LIMIT can name. */
export const MAX_RATE_ATTEMPTS = 100;
const MAX_RATE_SECONDS = 3_600;

/** The limit (attempts in seconds), and the times of the last attempts. */
export interface RateLimit {
  readonly attempts: number;
  readonly seconds: number;
  /** Seconds since 1970. */
  readonly times: readonly number[];
}

/**
 * The secret.
 *
 * @param text - of the file
 * @returns the bytes, at least one; undefined when it is not base32
 */
export function secretOf(text: string): Buffer | undefined {
  const base32 = secretText(text);
  return base32.includes('=') ? undefined : decodeBase32(base32);
}

/** How codes are computed: from the time, or from a counter. */
export type Mode =
  { readonly kind: 'totp' } | { readonly kind: 'hotp'; readonly counter: number } | { readonly kind: 'none' };

/**
 * How codes are computed. A counter above zero takes precedence.
 *
 * @param text - of the file
 * @returns the mode; `none`: only scratch codes work
 */
export function modeOf(text: string): Mode {
  const counter = leadingInteger(optionValue(text, 'HOTP_COUNTER') ?? '');
  if (counter > 0) {
    return { kind: 'hotp', counter };
  }
  return isTimeBased(text) ? { kind: 'totp' } : { kind: 'none' };
}

/**
 * Seconds of a time step.
 *
 * @param text - of the file
 * @returns 1 to 60; 30 by default
 */
export function stepSizeOf(text: string): number | BadSetting {
  return bounded(optionValue(text, 'STEP_SIZE'), 'STEP_SIZE', DEFAULT_STEP_SIZE, MAX_STEP_SIZE);
}

/**
 * How many steps or counters are accepted.
 *
 * @param text - of the file
 * @returns 1 to 100; 3 by default
 */
export function windowSizeOf(text: string): number | BadSetting {
  return bounded(optionValue(text, 'WINDOW_SIZE'), 'WINDOW_SIZE', DEFAULT_WINDOW_SIZE, MAX_WINDOW_SIZE);
}

/**
 * How far the phone's clock is ahead, in steps.
 *
 * @param text - of the file
 * @returns the number; 0 by default
 */
export function timeSkewOf(text: string): number {
  return leadingInteger(optionValue(text, 'TIME_SKEW') ?? '');
}

/**
 * The limit of attempts that the file itself keeps.
 *
 * @param text - of the file
 * @returns the limit; undefined when there is none
 */
export function rateLimitOf(text: string): RateLimit | BadSetting | undefined {
  const value = optionValue(text, 'RATE_LIMIT');
  if (value === undefined) {
    return undefined;
  }
  const [attempts, seconds, times] =
    /^([0-9]+)[ \t]+([0-9]+)((?:[ \t]+[0-9]+)*)$/.exec(value)?.slice(1) ?? [];
  const limit = {
    attempts: Number(attempts),
    seconds: Number(seconds),
    times: (times ?? '')
      .split(/[ \t]+/)
      .slice(1)
      .map(Number),
  };
  const fits = inRange(limit.attempts, MAX_RATE_ATTEMPTS) && inRange(limit.seconds, MAX_RATE_SECONDS);
  return fits ? limit : { bad: 'Invalid RATE_LIMIT option' };
}

function bounded(value: string | undefined, key: string, usual: number, max: number): number | BadSetting {
  if (value === undefined) {
    return usual;
  }
  const number = /^[+]?[0-9]+(?=[ \t]|$)/.test(value) ? leadingInteger(value) : NaN;
  return inRange(number, max) ? number : { bad: `Invalid ${key} option` };
}

function inRange(number: number, max: number): boolean {
  return number >= 1 && number <= max;
}

/** As strtol(3) reads it: blanks, a sign, digits; anything else is 0. */
function leadingInteger(text: string): number {
  const number = Number(/^[ \t]*([+-]?[0-9]{1,15})/.exec(text)?.[1] ?? 0);
  return Object.is(number, -0) ? 0 : number;
}
