import { MAX_CHANGES, type NewFactor } from '../../contracts/control-requests.ts';
import { encodeBase32 } from '../../factors/base32.ts';
import type { Hotp } from '../../factors/hotp.ts';
import { readOathKey } from '../../formats/oath-key.ts';
import { OtpauthUriError, readOtpauthUri } from '../../formats/read-otpauth-uri.ts';
import type { Totp } from '../../factors/totp.ts';
import { MigrationError, readMigrationUri, type MigratedAccount } from '../../formats/otpauth-migration.ts';
import { CommandError } from '../session/control-client.ts';
import { parseSecret } from './own-secret.ts';

/** Settings that a line may leave open. */
export interface KeySettings {
  /** Of an export with several accounts, those with this in their name or issuer. */
  readonly account?: string | undefined;
  /** For keys without a URI; left-out fields have the default of phones. */
  readonly digits?: 6 | 7 | 8 | undefined;
  /** Seconds. */
  readonly period?: number | undefined;
}

const SCHEME = /^otpauth:/i;
const MIGRATION_SCHEME = /^otpauth-migration:/i;
/** How Proxmox separates the keys of one user. */
const BETWEEN_KEYS = /[,; \t]+/;
const NO_FACTOR = /^\s*(?:#.*)?$/;

/**
 * Reads lines with the secrets of phones and tokens: `otpauth://` URIs, and keys as Proxmox's `oathkeygen` prints them or as they stand
 * in its `keys`, several in one line, and exports of the app Google Authenticator. Empty lines and those that begin with `#` are passed over.
 *
 * @param lines - as they were typed or read
 * @param settings - of keys that are no URIs
 * @returns the factors, in their order. They hold secrets.
 * @throws CommandError with one line for each that cannot be read: its number, the parameter, what to do; never its contents
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
      problems.push(`line ${index + 1}, ${problemOf(error)}`);
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

/** The problem of a line, with the faulty part. */
function problemOf(error: unknown): string {
  if (error instanceof OtpauthUriError) {
    return `${error.parameter}: ${error.message}`;
  }
  if (error instanceof MigrationError) {
    return `export: ${error.message}`;
  }
  throw error;
}

function factorsOf(line: string, { account, ...settings }: KeySettings): NewFactor[] {
  if (MIGRATION_SCHEME.test(line)) {
    return migrated(line, account).map(({ factor }) => importedFactor(factor));
  }
  if (SCHEME.test(line)) {
    return [importedFactor(readOtpauthUri(line))];
  }
  return secretsOf(line).map((secret) => ({
    kind: 'totp',
    imported: true,
    ...settings,
    secret: encodeBase32(secret),
  }));
}

/**
 * Makes the request to add a factor that another program or device has.
 *
 * @param factor - the factor
 * @param usedStep - of a time-based one, the last time step that was used, if it is known
 * @returns what the daemon is asked to add. It holds the secret.
 */
export function importedFactor(factor: Totp | Hotp, usedStep?: number): NewFactor {
  const { algorithm, digits } = factor;
  const token = { imported: true, algorithm, digits, secret: encodeBase32(factor.secret) } as const;
  return 'period' in factor
    ? { kind: 'totp', ...token, period: factor.period, ...(usedStep === undefined ? {} : { usedStep }) }
    : { kind: 'hotp', ...token, counter: factor.counter };
}

/** The chosen accounts of an export. A phone also has accounts of other machines and services, which do not belong here. */
function migrated(uri: string, wanted: string | undefined): readonly MigratedAccount[] {
  const { accounts, part, parts } = readMigrationUri(uri);
  const names = accounts.map(({ issuer, name }) =>
    JSON.stringify(issuer === '' || name.startsWith(`${issuer}:`) ? name : `${issuer}:${name}`),
  );
  if (wanted === undefined && accounts.length > 1) {
    throw new MigrationError(
      `it holds ${accounts.length} accounts: choose one with --account and a part of its name: ${names.join(', ')}`,
    );
  }
  const chosen = accounts.filter((_, index) =>
    names[index]?.toLowerCase().includes((wanted ?? '').toLowerCase()),
  );
  if (chosen.length === 0) {
    const which = parts > 1 ? `this is QR code ${part} of ${parts}; ` : '';
    throw new MigrationError(`no account matches --account: ${which}it holds ${names.join(', ')}`);
  }
  return chosen;
}

/** Splits several keys in Proxmox's form, but keeps one key with blanks in it together. */
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
