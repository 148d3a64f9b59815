import { MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../../factors/hotp-value.ts';
import { MAX_COUNTER, type Hotp } from '../../../factors/hotp.ts';
import type { Totp } from '../../../factors/totp.ts';
import {
  modeOf,
  rateLimitOf,
  secretOf,
  stepSizeOf,
  timeSkewOf,
  windowSizeOf,
  type RateLimit,
} from '../home/settings.ts';
import { lineNumberOf, optionValue, scratchCodes } from '../home/state-file.ts';
import { usedSteps } from '../home/time-based.ts';

/** The largest file that pam_google_authenticator reads, in bytes. */
export const MAX_FILE_BYTES = 65_536;
/** The most scratch codes. More would make guessing easier, because each is one of a hundred million. */
export const MAX_SCRATCH_CODES = 100;
/** Digits of a scratch code. */
export const SCRATCH_CODE_LENGTH = 8;
/** pam_google_authenticator itself learns at most 1,499 steps. */
const MAX_SKEW_DIGITS = 6;

/** Scratch codes of a file: each is good for one login. */
export interface ScratchCodes {
  /** The secret of their file. */
  readonly secret: Buffer;
  /** Eight ASCII digits each. */
  readonly codes: readonly Buffer[];
}

/** The contents of a file of pam_google_authenticator, as far as the store uses them. */
export interface ImportedFile {
  /** The file as it was imported, one character a byte. */
  readonly text: string;
  readonly secret: Buffer;
  /** The kind of codes besides scratch codes; undefined if there are only scratch codes. */
  readonly token: ({ readonly kind: 'totp' } & Totp) | ({ readonly kind: 'hotp' } & Hotp) | undefined;
  readonly scratch: ScratchCodes;
  /** Time steps that were used before the import. Some may be in the future, if the phone's clock was wrong then. */
  readonly usedSteps: readonly number[];
  /** The limit of attempts in the file, if there is one. */
  readonly rateLimit: RateLimit | undefined;
}

/** Why a file cannot be imported. */
export interface FileProblem {
  /** Number of the line, from 1 on. */
  readonly line: number;
  /** The option, or the kind of line. */
  readonly key: string;
  /** What is wrong and what to do; never the value. */
  readonly what: string;
}

/**
 * Reads a file of pam_google_authenticator strictly: anything that the module would refuse, or misread, is a problem. Unknown
 * lines are not problems; they are kept.
 *
 * @param text - of the file, one character a byte
 * @returns its contents, or all its problems
 */
export function readImportedFile(text: string): ImportedFile | { readonly problems: readonly FileProblem[] } {
  const secret = secretOf(text);
  const problems = [...problemsOfBytes(text), ...problemsOfSecret(secret), ...problemsOfOptions(text)];
  if (secret === undefined || problems.length > 0) {
    return { problems };
  }
  const codes = [...new Set(scratchCodes(text))].map((code) => Buffer.from(String(code), 'latin1'));
  const token = tokenOf(text, secret);
  if (codes.length > MAX_SCRATCH_CODES) {
    return { problems: [{ line: 1, key: 'scratch codes', what: tooMany(codes.length) }] };
  }
  if (token === undefined && codes.length === 0) {
    return { problems: [{ line: 1, key: 'TOTP_AUTH', what: NOTHING_USABLE }] };
  }
  const limit = rateLimitOf(text);
  return {
    text,
    secret,
    token,
    scratch: { secret, codes },
    usedSteps: usedSteps(optionValue(text, 'DISALLOW_REUSE') ?? '') ?? [],
    rateLimit: limit === undefined || 'bad' in limit ? undefined : limit,
  };
}

const NOTHING_USABLE =
  'there is neither TOTP_AUTH nor HOTP_COUNTER nor a scratch code, so it never accepted a code: enrol the user again';
const SECRET_LENGTH = `the secret must have ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`;

function tooMany(count: number): string {
  return `there are ${count}, at most ${MAX_SCRATCH_CODES} can be imported: delete some`;
}

function tokenOf(text: string, secret: Buffer): ImportedFile['token'] {
  const mode = modeOf(text);
  const generator = { secret, algorithm: 'sha1', digits: 6 } as const;
  const window = numberOf(windowSizeOf(text));
  switch (mode.kind) {
    case 'totp':
      return {
        kind: 'totp',
        ...generator,
        period: numberOf(stepSizeOf(text)),
        window,
        skew: timeSkewOf(text),
      };
    case 'hotp':
      return { kind: 'hotp', ...generator, counter: mode.counter, window };
    case 'none':
      return undefined;
  }
}

/** Settings whose options were checked before. */
function numberOf(setting: number | { readonly bad: string }): number {
  if (typeof setting !== 'number') {
    throw new Error('A setting that passed the check is invalid');
  }
  return setting;
}

function problemsOfBytes(text: string): FileProblem[] {
  const nul = text.indexOf('\0');
  return nul < 0
    ? []
    : [
        {
          line: text.slice(0, nul).split('\n').length,
          key: 'a NUL byte',
          what: 'this is not a text file: restore it from a backup, or enrol the user again',
        },
      ];
}

function problemsOfSecret(secret: Buffer | undefined): FileProblem[] {
  const problem = (what: string): FileProblem[] => [{ line: 1, key: 'secret', what }];
  if (secret === undefined) {
    return problem('the first line is not base32 (A to Z, 2 to 7): correct it, or enrol the user again');
  }
  return secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES
    ? problem(`${SECRET_LENGTH}, this one has ${secret.length}: enrol the user again`)
    : [];
}

/** The valid values of each option. */
const OPTIONS: readonly {
  readonly key: string;
  readonly fits: (text: string, value: string) => boolean;
  readonly what: string;
}[] = [
  {
    key: 'STEP_SIZE',
    fits: (text) => typeof stepSizeOf(text) === 'number',
    what: 'it has to be a number from 1 to 60',
  },
  {
    key: 'WINDOW_SIZE',
    fits: (text) => typeof windowSizeOf(text) === 'number',
    what: 'it has to be a number from 1 to 100',
  },
  {
    key: 'RATE_LIMIT',
    fits: (text) => !('bad' in (rateLimitOf(text) ?? {})),
    what: 'it must be attempts (1 to 100), seconds (1 to 3600) and times of attempts, and nothing else',
  },
  {
    key: 'TIME_SKEW',
    fits: (_text, value) => new RegExp(`^[+-]?[0-9]{1,${MAX_SKEW_DIGITS}}$`).test(value),
    what: `it has to be a number of at most ${MAX_SKEW_DIGITS} digits`,
  },
  {
    key: 'HOTP_COUNTER',
    fits: (_text, value) => /^[+-]?[0-9]{1,15}$/.test(value) && Number(value) <= MAX_COUNTER,
    what: `it has to be a number of at most ${MAX_COUNTER}`,
  },
  {
    key: 'DISALLOW_REUSE',
    fits: (_text, value) => usedSteps(value) !== undefined,
    what: 'it must be empty, or numbers of time steps',
  },
];

function problemsOfOptions(text: string): FileProblem[] {
  return OPTIONS.flatMap(({ key, fits, what }) => {
    const value = optionValue(text, key);
    return value === undefined || fits(text, withoutTrailingBlanks(value))
      ? []
      : [{ line: lineNumberOf(text, key) ?? 1, key, what: `${what}: correct it, or delete the line` }];
  });
}

/** Without a regular expression, which takes quadratic time for many blanks: anybody may send a file. */
function withoutTrailingBlanks(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charAt(end - 1) === ' ' || value.charAt(end - 1) === '\t')) {
    end -= 1;
  }
  return value.slice(0, end);
}
