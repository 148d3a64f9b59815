import { MAX_CHANGES, type NewFactor } from '../control/requests.ts';
import { encodeBase32 } from '../factors/base32.ts';
import { readOathKey } from '../factors/oath-key.ts';
import { OtpauthUriError, readOtpauthUri } from '../factors/read-otpauth-uri.ts';
import { CommandError } from './control-client.ts';
import { parseSecret } from './own-secret.ts';

/** What a key without a URI does not say; what is left out is as phones have it. */
export interface KeySettings {
  readonly digits?: 6 | 7 | 8 | undefined;
  /** Seconds. */
  readonly period?: number | undefined;
}

const SCHEME = /^otpauth(?:-migration)?:/i;
/** As Proxmox separates the keys of one user. */
const BETWEEN_KEYS = /[,; \t]+/;
const NO_FACTOR = /^\s*(?:#.*)?$/;

/**
 * Reads lines with the secrets of phones and tokens: `otpauth://` URIs, and keys as Proxmox's `oathkeygen` prints them or as they stand
 * in its `keys`, several in one line. Empty lines and those that begin with `#` are passed over.
 *
 * @param lines - as they were typed or read
 * @param settings - of keys that are no URIs
 * @returns the factors, in their order. They hold secrets.
 * @throws CommandError with one line for each that cannot be read: its number, the parameter, what to do; never what is in it
 */
export function readTokenLines(lines: readonly string[], settings: KeySettings): NewFactor[] {
  const factors: NewFactor[] = [];
  const problems: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (NO_FACTOR.test(line)) {
      continue;
    }
    try {
      factors.push(...factorsOf(line.trim(), settings));
    } catch (error) {
      if (!(error instanceof OtpauthUriError)) {
        throw error;
      }
      problems.push(`line ${index + 1}, ${error.parameter}: ${error.message}`);
    }
  }
  if (problems.length > 0) {
    throw new CommandError('ERR_BAD_LINES', [...problems, 'Nothing was imported.'].join('\n'));
  }
  if (factors.length === 0 || factors.length > MAX_CHANGES) {
    throw new CommandError(
      'ERR_BAD_LINES',
      factors.length === 0
        ? 'There is no line with a URI or a key. Nothing was imported.'
        : `There are ${factors.length} URIs and keys, more than ${MAX_CHANGES}: import them in parts. Nothing was imported.`,
    );
  }
  return factors;
}

function factorsOf(line: string, settings: KeySettings): NewFactor[] {
  if (SCHEME.test(line)) {
    const factor = readOtpauthUri(line);
    const { algorithm, digits } = factor;
    const token = { imported: true, algorithm, digits, secret: encodeBase32(factor.secret) } as const;
    return [
      'period' in factor
        ? { kind: 'totp', ...token, period: factor.period }
        : { kind: 'hotp', ...token, counter: factor.counter },
    ];
  }
  return secretsOf(line).map((secret) => ({
    kind: 'totp',
    imported: true,
    ...settings,
    secret: encodeBase32(secret),
  }));
}

/** Several keys as Proxmox has them, or one as people write it, with blanks. */
function secretsOf(line: string): Buffer[] {
  const words = line.split(BETWEEN_KEYS).filter((word) => word !== '');
  const several = words.length > 1 && words.every((word) => readOathKey(word) !== undefined);
  return (several ? words : [line]).map((key) => {
    const secret = parseSecret(key);
    if (secret === undefined) {
      throw new OtpauthUriError(
        'key',
        'it must be an otpauth:// URI, or 10 to 128 bytes in base32 or hexadecimal, as oathkeygen and Proxmox have them',
      );
    }
    return secret;
  });
}
