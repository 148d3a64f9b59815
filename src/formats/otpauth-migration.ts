import {
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  type Algorithm,
  type CodeLength,
} from '../factors/hotp-value.ts';
import { MAX_COUNTER, type Hotp } from '../factors/hotp.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW, type Totp } from '../factors/totp.ts';
import { FieldsError, readFields, type Field } from './protobuf-fields.ts';

/** The app puts ten accounts into a QR code; more than a hundred fit none. */
const MAX_ACCOUNTS = 128;
const MAX_URI_LENGTH = 16 * 1024;
const PREFIX = 'otpauth-migration://offline?';

/** Field numbers of the payload, and of one account in it. */
const PAYLOAD = { account: 1, batchSize: 3, batchIndex: 4 } as const;
const ACCOUNT = { secret: 1, name: 2, issuer: 3, algorithm: 4, digits: 5, type: 6, counter: 7 } as const;

/** The app's own numbers; 0 stands for the default. */
const ALGORITHM_OF: ReadonlyMap<number, Algorithm> = new Map([
  [0, 'sha1'],
  [1, 'sha1'],
  [2, 'sha256'],
  [3, 'sha512'],
]);
const DIGITS_OF: ReadonlyMap<number, CodeLength> = new Map([
  [0, 6],
  [1, 6],
  [2, 8],
]);
const HOTP = 1;
const TOTP = [0, 2];

/** One account of an export. */
export interface MigratedAccount {
  /** What the app shows: often `issuer:account`. */
  readonly name: string;
  /** Empty: none. */
  readonly issuer: string;
  /** With the usual period and window: an export says neither. Its secret is one. */
  readonly factor: Totp | Hotp;
}

/** What one QR code of an export holds. */
export interface Migration {
  readonly accounts: readonly MigratedAccount[];
  /** Which of how many QR codes this is, counted from 1. */
  readonly part: number;
  readonly parts: number;
}

/** A text that is no export. The message says what is wrong, and never holds a secret. */
export class MigrationError extends Error {
  readonly code = 'ERR_MIGRATION';
  /** @param message - what is wrong */
  constructor(message: string) {
    super(message);
    this.name = 'MigrationError';
  }
}

/**
 * Reads what the QR code of "Transfer accounts, Export" in the app Google Authenticator says: `otpauth-migration://offline?data=…`,
 * a protocol buffer in base64. There is no published description; the fields are those that the app writes (2020 to 2026), and others are
 * skipped.
 *
 * @param uri - the text of the QR code
 * @returns its accounts
 * @throws MigrationError when it is none, or has an account that we do not know how to verify (an MD5 one)
 */
export function readMigrationUri(uri: string): Migration {
  const data = uri.length > MAX_URI_LENGTH ? null : dataOf(uri);
  if (data === null || data === '') {
    throw new MigrationError(`it must begin with ${PREFIX}data=`);
  }
  // Some scanners leave the percent signs, and some make blanks of the plus signs.
  const base64 = data.replaceAll(' ', '+');
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(base64)) {
    throw new MigrationError('the data is not base64: copy the whole text of the QR code');
  }
  const bytes = Buffer.from(base64, 'base64');
  try {
    return migrationOf(readFields(bytes));
  } catch (error) {
    if (error instanceof FieldsError) {
      throw new MigrationError('the data ends in the middle: copy the whole text of the QR code');
    }
    throw error;
  } finally {
    bytes.fill(0);
  }
}

function dataOf(uri: string): string | null {
  return uri.startsWith(PREFIX) ? new URLSearchParams(uri.slice(PREFIX.length)).get('data') : null;
}

function migrationOf(fields: readonly Field[]): Migration {
  const accounts = fields.filter((field) => field.number === PAYLOAD.account);
  if (accounts.length === 0) {
    throw new MigrationError('there is no account in it');
  }
  if (accounts.length > MAX_ACCOUNTS) {
    throw new MigrationError(`there are more than ${MAX_ACCOUNTS} accounts in it`);
  }
  return {
    accounts: accounts.map((field, index) => accountOf(bytesOf(field), index + 1)),
    part: numberIn(fields, PAYLOAD.batchIndex) + 1,
    parts: Math.max(numberIn(fields, PAYLOAD.batchSize), 1),
  };
}

function accountOf(bytes: Buffer, number: number): MigratedAccount {
  const fields = readFields(bytes);
  const wrong = (what: string): MigrationError => new MigrationError(`account ${number}: ${what}`);
  const found = fields.findLast((field) => field.number === ACCOUNT.secret);
  const secret = found === undefined ? Buffer.alloc(0) : Buffer.from(bytesOf(found));
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw wrong(`a secret must have ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, not ${secret.length}`);
  }
  const algorithm = ALGORITHM_OF.get(numberIn(fields, ACCOUNT.algorithm));
  const digits = DIGITS_OF.get(numberIn(fields, ACCOUNT.digits));
  if (algorithm === undefined) {
    throw wrong('its algorithm is none of SHA-1, SHA-256 and SHA-512');
  }
  if (digits === undefined) {
    throw wrong('its codes have neither 6 nor 8 digits');
  }
  const named = { name: textIn(fields, ACCOUNT.name), issuer: textIn(fields, ACCOUNT.issuer) };
  const type = numberIn(fields, ACCOUNT.type);
  if (type === HOTP) {
    const counter = numberIn(fields, ACCOUNT.counter);
    if (counter > MAX_COUNTER) {
      throw wrong(`its counter is larger than ${MAX_COUNTER}`);
    }
    return { ...named, factor: { secret, algorithm, digits, counter } };
  }
  if (!TOTP.includes(type)) {
    throw wrong('it is neither time-based nor counter-based');
  }
  return {
    ...named,
    factor: { secret, algorithm, digits, period: DEFAULT_PERIOD, window: DEFAULT_WINDOW },
  };
}

/** Of a field that is there twice the last one counts, as in every protocol buffer. */
function numberIn(fields: readonly Field[], number: number): number {
  const value = fields.findLast((field) => field.number === number)?.value ?? 0;
  if (typeof value !== 'number') {
    throw new FieldsError(`field ${number} is not a number`);
  }
  return value;
}

function textIn(fields: readonly Field[], number: number): string {
  const found = fields.findLast((field) => field.number === number);
  return found === undefined ? '' : bytesOf(found).toString('utf8');
}

function bytesOf({ number, value }: Field): Buffer {
  if (typeof value === 'number') {
    throw new FieldsError(`field ${number} is not bytes`);
  }
  return value;
}
