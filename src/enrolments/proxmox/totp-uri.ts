import { decodeBase32 } from '../../factors/base32.ts';
import { ALGORITHMS, type Algorithm } from '../../factors/hotp-value.ts';
import { FormatError } from './format-error.ts';

const PREFIX = 'otpauth://totp/';
const DEFAULT_DIGITS = 6;
const DEFAULT_PERIOD = 30;
/** Proxmox keeps the number of digits in eight bits. */
const MOST_DIGITS = 255;

/** What a URI of Proxmox says about the codes. */
export interface TotpUri {
  readonly secret: Buffer;
  readonly algorithm: Algorithm;
  readonly digits: number;
  readonly period: number;
}

/**
 * Reads the URI of a TOTP entry with the rules of proxmox-tfa: any parameter that it does not know is an error.
 *
 * @param uri - `otpauth://totp/LABEL?secret=…`. A secret.
 * @param place - where it stands, for messages
 * @returns what it says
 * @throws FormatError; no part of the URI is in its message
 */
export function parseTotpUri(uri: string, place: string): TotpUri {
  const fail = (what: string): never => {
    throw new FormatError(place, what);
  };
  const query = uri.indexOf('?');
  if (!uri.startsWith(PREFIX) || query < 0) {
    fail('it is no URI that begins with otpauth://totp/ and has parameters');
  }
  let secret: Buffer | undefined;
  let algorithm: Algorithm = 'sha1';
  let digits = DEFAULT_DIGITS;
  let period = DEFAULT_PERIOD;
  for (const parameter of uri.slice(query + 1).split('&')) {
    const equals = parameter.indexOf('=');
    const name = equals < 0 ? fail('a parameter has no value') : decoded(parameter.slice(0, equals), fail);
    const value = decoded(parameter.slice(equals + 1), fail);
    switch (name) {
      case 'secret':
        secret =
          (/^[A-Za-z2-7]+=*$/.test(value) ? decodeBase32(value) : undefined) ??
          fail('the secret is not base32');
        break;
      case 'digits':
        digits = wholeNumber(value) ?? fail('digits is no number');
        break;
      case 'period':
        period = wholeNumber(value) ?? fail('period is no number');
        break;
      case 'algorithm':
        algorithm =
          ALGORITHMS.find((known) => known === value.toLowerCase()) ?? fail('the algorithm is unknown');
        break;
      case 'issuer':
        break;
      default:
        fail('it has a parameter that Proxmox does not know');
    }
  }
  if (digits > MOST_DIGITS) {
    fail('digits is too large');
  }
  return { secret: secret ?? fail('it has no secret'), algorithm, digits, period };
}

function decoded(text: string, fail: (what: string) => never): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return fail('a parameter is not encoded as it should be');
  }
}

function wholeNumber(text: string): number | undefined {
  return /^\+?[0-9]{1,9}$/.test(text) ? Number(text) : undefined;
}
