import {
  hotpValue,
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  type CodeGenerator,
  type CodeLength,
} from '../factors/hotp-value.ts';
import { MAX_COUNTER, type Hotp } from '../factors/hotp.ts';
import { DEFAULT_WINDOW, timeStep, type Totp } from '../factors/totp.ts';

/** The most lines of a users file. */
const MAX_LINES = 100_000;
/** A user name of Linux has at most 256 bytes. */
const MAX_NAME = 256;
/** pam_oath looks at 5 steps around the clock when nothing is said, and a `window=` of 20 is what guides write. */
const STEPS_AROUND_LAST_USE = 20;

const TYPE = /^HOTP(?:\/(?:E|T(30|60))(?:\/([678]))?)?$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dL$/;

/** One token of a users file. */
export interface OathToken {
  /** Counted from 1. */
  readonly line: number;
  readonly user: string;
  /** Ready to go on: an event-based one with the counter of its next code. Its secret is one. */
  readonly factor: Totp | Hotp;
  /** The last time step that was used, if any: of time-based tokens alone. */
  readonly usedStep: number | undefined;
  /** Whether a PIN belonged to it, typed before the code: we have nothing like it. */
  readonly pin: boolean;
}

/** A line that could not be read. */
export interface OathProblem {
  readonly line: number;
  readonly what: string;
}

/** What a users file says. */
export interface OathUsers {
  readonly tokens: readonly OathToken[];
  readonly problems: readonly OathProblem[];
}

/**
 * Reads a users file of pam_oath (`usersfile=`): fields with blanks between, `TYPE USER PIN KEY [COUNTER [LAST-CODE [TIME]]]`. Comments and
 * empty lines are skipped. All tokens have SHA-1.
 *
 * @param text - the file's content
 * @returns tokens in their order, and what could not be read; no message holds a key, a PIN or a code
 */
export function readOathUsers(text: string): OathUsers {
  const tokens: OathToken[] = [];
  const problems: OathProblem[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.slice(0, MAX_LINES).entries()) {
    const fields = line.split(/[ \t\r]+/).filter((field) => field !== '');
    if (fields.length > 0 && !line.startsWith('#')) {
      const token = tokenOf(fields);
      if (typeof token === 'string') {
        problems.push({ line: index + 1, what: token });
      } else {
        tokens.push({ line: index + 1, ...token });
      }
    }
  }
  if (lines.length > MAX_LINES) {
    problems.push({ line: MAX_LINES + 1, what: `only ${MAX_LINES} lines are read` });
  }
  return { tokens, problems };
}

/** The token of a line, or what is wrong with it. */
function tokenOf(fields: readonly string[]): Omit<OathToken, 'line'> | string {
  const [type = '', user = '', pin = '-', key = '', movingFactor = '0', lastCode, lastTime] = fields;
  const matched = TYPE.exec(type);
  if (matched === null) {
    return 'the type must be HOTP, HOTP/E, HOTP/T30 or HOTP/T60, and may end in /6, /7 or /8';
  }
  if (user === '' || Buffer.byteLength(user) > MAX_NAME) {
    return 'there is no user name';
  }
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(key)) {
    return 'the key must be pairs of hexadecimal digits';
  }
  const secret = Buffer.from(key, 'hex');
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    return `a key must have ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, not ${secret.length}`;
  }
  const eventBased = matched[1] === undefined;
  if (eventBased && (!/^\d+$/.test(movingFactor) || Number(movingFactor) >= MAX_COUNTER)) {
    return `the counter must be a whole number below ${MAX_COUNTER}`;
  }
  if (lastTime !== undefined && !(TIME.test(lastTime) && Number.isFinite(millisecondsOf(lastTime)))) {
    return 'the time of the last use must look like 2026-01-31T23:59:59L';
  }
  const generator = { secret, algorithm: 'sha1', digits: Number(matched[2] ?? 6) as CodeLength } as const;
  const owner = { user, pin: pin !== '-' && pin !== '+' };
  if (eventBased) {
    // It keeps the counter of the code that was used last; a token that was never used has no code.
    const counter = Number(movingFactor) + (lastCode === undefined ? 0 : 1);
    return { ...owner, factor: { ...generator, counter }, usedStep: undefined };
  }
  const factor: Totp = { ...generator, period: Number(matched[1]), window: DEFAULT_WINDOW };
  if (lastCode === undefined || lastTime === undefined) {
    return { ...owner, factor, usedStep: undefined };
  }
  return { ...owner, factor, usedStep: stepOf(generator, factor.period, lastCode, lastTime) };
}

/** The latest step around the last use that has the last code; that of the moment itself if none has. */
function stepOf(generator: CodeGenerator, period: number, code: string, time: string): number {
  const used = timeStep(period, millisecondsOf(time));
  for (let step = used + STEPS_AROUND_LAST_USE; step >= Math.max(used - STEPS_AROUND_LAST_USE, 0); step--) {
    if (hotpValue(generator, step).toString('latin1') === code) {
      return step;
    }
  }
  return used;
}

/** A local time, in milliseconds since 1970: the file is read where it was written. NaN when there is no such time. */
function millisecondsOf(time: string): number {
  return new Date(time.slice(0, -1)).getTime();
}
