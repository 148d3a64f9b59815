import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { ALGORITHMS, MAX_SECRET_BYTES, type Algorithm } from '../../../factors/hotp-value.ts';
import { decodeCrateBase32 } from './crate-base32.ts';
import { FormatError } from './format-error.ts';

const PREFIX = 'otpauth://totp/';
const DEFAULT_DIGITS = 6;
const DEFAULT_PERIOD = 30;
/** Proxmox keeps the number of digits in eight bits, and the period in 64. */
const MOST_DIGITS = 2n ** 8n - 1n;
const MOST_SECONDS = 2n ** 64n - 1n;

/** The parameters of a URI of Proxmox. */
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
 * @param place - its place, for messages
 * @returns the parameters
 * @throws FormatError; no part of the URI is in its message
 */
export function parseTotpUri(uri: string, place: string): TotpUri {
  const fail = (what: string): never => {
    throw new FormatError(place, what);
  };
  const query = uri.indexOf('?');
  if (!uri.startsWith(PREFIX) || query < 0) {
    fail('it is not a URI that begins with otpauth://totp/ and has parameters');
  }
  let secret: Buffer | undefined;
  let algorithm: Algorithm = 'sha1';
  let digits = DEFAULT_DIGITS;
  let period = DEFAULT_PERIOD;
  for (const parameter of uri.slice(query + 1).split('&')) {
    const equals = parameter.indexOf('=');
    const name =
      equals < 0 ? fail('a parameter has no value') : utf8(decoded(parameter.slice(0, equals)), fail);
    const value = decoded(parameter.slice(equals + 1));
    switch (name) {
      case 'secret':
        secret = decodeCrateBase32(utf8(value, fail)) ?? fail('the secret is not base32');
        break;
      case 'digits':
        digits = wholeNumber(utf8(value, fail), MOST_DIGITS) ?? fail('digits is not a number, or too large');
        break;
      case 'period':
        period = wholeNumber(utf8(value, fail), MOST_SECONDS) ?? fail('period is not a number, or too large');
        break;
      case 'algorithm': {
        const wanted = utf8(value, fail).toLowerCase();
        algorithm = ALGORITHMS.find((known) => known === wanted) ?? fail('the algorithm is unknown');
        break;
      }
      // Decodes all bytes. Proxmox replaces those that are not UTF-8.
      case 'issuer':
        break;
      default:
        fail('it has a parameter that Proxmox does not know');
    }
  }
  if (secret === undefined || secret.length === 0) {
    return fail('it has no secret');
  }
  return { secret: asKey(secret, algorithm), algorithm, digits, period };
}

/** RFC 2104, section 2: a key that is longer than a block is replaced by its hash. So keys of any length work. */
function asKey(secret: Buffer, algorithm: Algorithm): Buffer {
  return secret.length > MAX_SECRET_BYTES ? createHash(algorithm).update(secret).digest() : secret;
}

/** Anything that is not an escape stays unchanged. */
function decoded(text: string): Buffer {
  const bytes = Buffer.from(text);
  const escaped = /%[0-9a-fA-F]{2}/g;
  return Buffer.from(
    bytes
      .toString('latin1')
      .replaceAll(escaped, (escape) => String.fromCharCode(parseInt(escape.slice(1), 16))),
    'latin1',
  );
}

function utf8(bytes: Buffer, fail: (what: string) => never): string {
  return isUtf8(bytes) ? bytes.toString() : fail('a parameter is not encoded as it should be');
}

/** Numbers beyond 2^53 lose precision, but nothing of that size can be checked anyway. */
function wholeNumber(text: string, most: bigint): number | undefined {
  return /^\+?[0-9]{1,40}$/.test(text) && BigInt(text.replace('+', '')) <= most ? Number(text) : undefined;
}
