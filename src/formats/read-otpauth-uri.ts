import { decodeBase32 } from '../factors/base32.ts';
import {
  ALGORITHMS,
  CODE_LENGTHS,
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  type Algorithm,
  type CodeLength,
} from '../factors/hotp-value.ts';
import { MAX_COUNTER, type Hotp } from '../factors/hotp.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW, MAX_PERIOD, type Totp } from '../factors/totp.ts';

const URI = /^otpauth:\/\/([^/?#]*)\/([^?#]*)(?:\?([^#]*))?(?:#.*)?$/i;
/** Longer ones are none: no QR code holds them. */
const MAX_URI = 2_953;
const WHOLE = /^[0-9]{1,15}$/;
/** Authenticator (iOS), FreeOTP and others write `SHA-256` and `HmacSHA256`, too. */
const ALGORITHM = /^(?:hmac)?(sha)-?(1|256|512)$/i;
/** What says nothing about the codes: names and pictures. */
const DECORATION = new Set(['issuer', 'image', 'icon', 'logo', 'color', 'colour', 'user']);

/** A URI that a phone would not read, or whose codes would not be ours. The message never holds what is in the URI. */
export class OtpauthUriError extends Error {
  readonly code = 'ERR_OTPAUTH_URI';
  /** Which part of the URI: `type`, `label` or the name of a parameter; `uri`: the whole. */
  readonly parameter: string;
  /**
   * @param parameter - which part
   * @param message - what is wrong with it, and what to do
   */
  constructor(parameter: string, message: string) {
    super(message);
    this.name = 'OtpauthUriError';
    this.parameter = parameter;
  }
}

/**
 * Reads the URI that a QR code holds (Key URI Format): the inverse of {@link otpauthUri}. What says nothing about the codes (label, issuer,
 * pictures) is left alone; a parameter that is not known might change them, and is refused.
 *
 * @param uri - without blanks around it
 * @returns the factor; of HOTP, `counter` is that of the next code. It holds a secret.
 * @throws OtpauthUriError when it is none
 */
export function readOtpauthUri(uri: string): Totp | Hotp {
  if (uri.length > MAX_URI) {
    throw new OtpauthUriError('uri', `it is longer than ${MAX_URI} characters: no QR code holds that`);
  }
  if (/^otpauth-migration:/i.test(uri)) {
    throw new OtpauthUriError('uri', "this is an app's export of all its accounts: export a single one");
  }
  const [, type = '', , query = ''] = URI.exec(uri) ?? [];
  if (!URI.test(uri)) {
    throw new OtpauthUriError('uri', 'it must be like otpauth://totp/LABEL?secret=SECRET');
  }
  const kind = type.toLowerCase();
  if (kind !== 'totp' && kind !== 'hotp') {
    throw new OtpauthUriError('type', 'it must be totp or hotp, after otpauth://');
  }
  const parameters = parametersOf(query);
  assertKnown(parameters, kind);
  const generator = {
    secret: secretOf(parameters),
    algorithm: algorithmOf(parameters),
    digits: digitsOf(parameters),
  };
  return kind === 'totp'
    ? { ...generator, period: periodOf(parameters), window: DEFAULT_WINDOW }
    : { ...generator, counter: counterOf(parameters) };
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', ...value] = pair.split('=');
    const known = decoded('uri', name).toLowerCase();
    if (parameters.has(known)) {
      throw new OtpauthUriError(quotable(known), 'it is there twice: leave one of them out');
    }
    parameters.set(known, decoded(quotable(known), value.join('=')));
  }
  return parameters;
}

function decoded(parameter: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new OtpauthUriError(parameter, 'a % must be followed by two hexadecimal digits, of UTF-8');
  }
}

/** A name that may stand in a message: who swaps name and value shall not see the secret there. */
function quotable(name: string): string {
  return /^[a-z]{1,12}$/.test(name) ? name : 'a parameter';
}

function assertKnown(parameters: ReadonlyMap<string, string>, kind: 'totp' | 'hotp'): void {
  const known = new Set(['secret', 'algorithm', 'digits', kind === 'totp' ? 'period' : 'counter']);
  for (const name of parameters.keys()) {
    // Some apps write both, whatever the type.
    if (!known.has(name) && !DECORATION.has(name) && name !== 'period' && name !== 'counter') {
      throw new OtpauthUriError(
        quotable(name),
        'it is unknown and might change the codes. If it does not, leave it out',
      );
    }
  }
}

function secretOf(parameters: ReadonlyMap<string, string>): Buffer {
  const text = parameters.get('secret');
  if (text === undefined) {
    throw new OtpauthUriError('secret', 'it is missing: the URI must say secret=…, in base32');
  }
  const secret = decodeBase32(text);
  if (secret === undefined || secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new OtpauthUriError(
      'secret',
      `it must be base32 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes: was it copied as a whole?`,
    );
  }
  return secret;
}

function algorithmOf(parameters: ReadonlyMap<string, string>): Algorithm {
  const text = parameters.get('algorithm') ?? 'SHA1';
  const [, sha = '', bits = ''] = ALGORITHM.exec(text) ?? [];
  const algorithm = ALGORITHMS.find((known) => known === `${sha.toLowerCase()}${bits}`);
  if (algorithm === undefined) {
    throw new OtpauthUriError('algorithm', 'it must be SHA1, SHA256 or SHA512');
  }
  return algorithm;
}

function digitsOf(parameters: ReadonlyMap<string, string>): CodeLength {
  const digits = CODE_LENGTHS.find((length) => String(length) === (parameters.get('digits') ?? '6'));
  if (digits === undefined) {
    throw new OtpauthUriError('digits', 'it must be 6, 7 or 8');
  }
  return digits;
}

function periodOf(parameters: ReadonlyMap<string, string>): number {
  const period = wholeOf(parameters.get('period') ?? String(DEFAULT_PERIOD));
  if (period === undefined || period < 1 || period > MAX_PERIOD) {
    throw new OtpauthUriError('period', `it must be a number of seconds from 1 to ${MAX_PERIOD}`);
  }
  return period;
}

function counterOf(parameters: ReadonlyMap<string, string>): number {
  const text = parameters.get('counter');
  if (text === undefined) {
    throw new OtpauthUriError('counter', 'it is missing: add counter=N, the number of the next code');
  }
  const counter = wholeOf(text);
  if (counter === undefined || counter > MAX_COUNTER) {
    throw new OtpauthUriError('counter', `it must be a number from 0 to ${MAX_COUNTER}`);
  }
  return counter;
}

function wholeOf(text: string): number | undefined {
  return WHOLE.test(text) ? Number(text) : undefined;
}
