import { z } from 'zod';
import { decodeBase32, encodeBase32 } from '../../factors/base32.ts';
import { ALGORITHMS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../factors/hotp-value.ts';
import type { Hotp } from '../../factors/hotp.ts';
import { RECOVERY_CODES, RECOVERY_HASH_BYTES } from '../../factors/recovery-code.ts';
import { MAX_WINDOW, type Totp } from '../../factors/totp.ts';
import type { OfflineYubikey } from '../../factors/yubikey.ts';
import { AES_KEY_BYTES, isPublicId, PRIVATE_ID_BYTES } from '../../yubico-otp/index.ts';
import type { AttemptLimit } from '../enrolment.ts';
import { readImportedFile, type ImportedFile } from './imported-file.ts';

/** The version of the records that this program writes. */
export const RECORD_SCHEMA = 1;
/** More factors per user would make every login of that user slow. */
export const MAX_FACTORS = 16;
/** A larger file is not one of ours: an imported file of 65536 bytes in base64, and the other factors. */
export const MAX_RECORD_BYTES = 160 * 1024;
/** Names of factors: letters, digits, and a few signs that need no quoting anywhere. */
export const FACTOR_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$/;
/** Periods that are accepted, in seconds; new ones are enrolled with 15 to 120. */
const MIN_PERIOD = 1;
const MAX_PERIOD = 300;
/** Counters stay far below the safe integers. */
export const MAX_COUNTER = 2 ** 48;
/** The bounds of a factor's own limit of guesses: those of pam_google_authenticator's file. */
export const MAX_LIMIT_ATTEMPTS = 100;
export const MAX_LIMIT_SECONDS = 3_600;

const secretSchema = z.string().transform((text, context) => {
  const secret = decodeBase32(text);
  if (secret === undefined || secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    context.addIssue({
      code: 'custom',
      message: `not base32 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`,
    });
    return z.NEVER;
  }
  return secret;
});

const common = {
  /** Names the factor to commands; never used again for another one. */
  id: z.string().regex(/^[a-z0-9]{4,16}$/),
  name: z.string().regex(FACTOR_NAME),
  /** When it was added, seconds since 1970. */
  added: z.int().min(0),
  /** It stays, but its codes are not accepted. */
  paused: z.literal(true).optional(),
};

const generator = {
  secret: secretSchema,
  algorithm: z.enum(ALGORITHMS),
  digits: z.union([z.literal(6), z.literal(7), z.literal(8)]),
  limit: z
    .strictObject({
      attempts: z.int().min(1).max(MAX_LIMIT_ATTEMPTS),
      seconds: z.int().min(1).max(MAX_LIMIT_SECONDS),
    })
    .optional(),
};

const totpSchema = z.strictObject({
  kind: z.literal('totp'),
  ...common,
  ...generator,
  period: z.int().min(MIN_PERIOD).max(MAX_PERIOD),
  window: z.int().min(1).max(MAX_WINDOW),
});

const hotpSchema = z.strictObject({
  kind: z.literal('hotp'),
  ...common,
  ...generator,
  counter: z.int().min(0).max(MAX_COUNTER),
  window: z.int().min(1).max(MAX_WINDOW).optional(),
});

const hashSchema = z
  .hex()
  .length(2 * RECOVERY_HASH_BYTES)
  .transform((hash) => Buffer.from(hash, 'hex'));

const recoverySchema = z.strictObject({
  kind: z.literal('recovery'),
  ...common,
  hashes: z.array(hashSchema).min(1).max(RECOVERY_CODES),
});

/** The file as it was imported: what was used up since, the ledger knows. */
const fileSchema = z.base64().transform((base64, context) => {
  const file = readImportedFile(Buffer.from(base64, 'base64').toString('latin1'));
  if ('problems' in file) {
    context.addIssue({ code: 'custom', message: 'not a file of pam_google_authenticator' });
    return z.NEVER;
  }
  return file;
});

const importedSchema = z.strictObject({
  kind: z.literal('google-authenticator'),
  ...common,
  file: fileSchema,
});

const publicIdSchema = z.string().refine(isPublicId, 'not a public id in modhex');

function secretOf(bytes: number): z.ZodType<Buffer, string> {
  return z
    .hex()
    .length(2 * bytes)
    .transform((hex) => Buffer.from(hex, 'hex'));
}

/** Several keys may have no public id; looked up is only one that names its user's key. */
const onlineYubikeySchema = z.strictObject({
  kind: z.literal('yubikey-online'),
  ...common,
  publicId: publicIdSchema.min(1),
});

const offlineYubikeySchema = z.strictObject({
  kind: z.literal('yubikey-offline'),
  ...common,
  publicId: publicIdSchema,
  privateId: secretOf(PRIVATE_ID_BYTES),
  aesKey: secretOf(AES_KEY_BYTES),
});

const recordSchema = z.strictObject({
  schema: z.literal(RECORD_SCHEMA),
  /** Canonical name and uid of the user: the file name alone is not trusted. */
  user: z.string().min(1),
  uid: z.int().min(0),
  factors: z
    .array(
      z.discriminatedUnion('kind', [
        totpSchema,
        hotpSchema,
        recoverySchema,
        importedSchema,
        onlineYubikeySchema,
        offlineYubikeySchema,
      ]),
    )
    .max(MAX_FACTORS)
    .refine((factors) => allDiffer(factors.map(({ id }) => id)), 'two factors have the same id')
    .refine((factors) => allDiffer(factors.map(({ name }) => name)), 'two factors have the same name'),
});

/** What every factor in a record has. */
interface Stored {
  readonly id: string;
  readonly name: string;
  readonly added: number;
  readonly paused?: true | undefined;
}
/** What a factor whose codes can be guessed may have: a limit of guesses that is stricter than the daemon's. */
interface Limited {
  readonly limit?: AttemptLimit | undefined;
}
/** A TOTP factor in a record. */
export type TotpFactor = Stored & Limited & Totp & { readonly kind: 'totp' };
/** An HOTP factor in a record. */
export type HotpFactor = Stored & Limited & Hotp & { readonly kind: 'hotp' };
/** A set of recovery codes in a record: their keyed hashes. Which of them are used up, the ledger knows. */
export type RecoveryFactor = Stored & { readonly kind: 'recovery'; readonly hashes: readonly Buffer[] };
/** A file of pam_google_authenticator in a record: a phone or token and scratch codes in one. */
export type ImportedFactor = Stored & {
  readonly kind: 'google-authenticator';
  readonly file: ImportedFile;
};
/** A YubiKey in a record that a validation server checks. */
export type OnlineYubikeyFactor = Stored & { readonly kind: 'yubikey-online'; readonly publicId: string };
/** A YubiKey in a record whose secrets are known. */
export type OfflineYubikeyFactor = Stored & OfflineYubikey & { readonly kind: 'yubikey-offline' };
/** A factor in a record. */
export type StoredFactor =
  TotpFactor | HotpFactor | RecoveryFactor | ImportedFactor | OnlineYubikeyFactor | OfflineYubikeyFactor;
/** What one user has enrolled in the store. */
export interface EnrolmentRecord {
  readonly user: string;
  readonly uid: number;
  readonly factors: readonly StoredFactor[];
}

/** A record that cannot be read. The message names the place and what is expected there, never the value. */
export class RecordError extends Error {
  readonly code = 'ERR_RECORD';
  /** @param message - what is wrong, and where */
  constructor(message: string) {
    super(message);
    this.name = 'RecordError';
  }
}

/**
 * Reads a record.
 *
 * @param text - the file's content
 * @returns the record; its secrets are Buffers
 * @throws RecordError when it is not a record of this schema
 */
export function parseRecord(text: string): EnrolmentRecord {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and with it maybe a secret.
    throw new RecordError(text === '' ? 'the file is empty' : 'the file is not JSON');
  }
  const result = recordSchema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new RecordError(`${issue?.path.join('.') || 'the record'}: ${issue?.message ?? 'not as expected'}`);
  }
  const { user, uid, factors } = result.data;
  return { user, uid, factors };
}

/**
 * Writes a record.
 *
 * @param record - what the user has enrolled
 * @returns the file's content. It holds secrets.
 */
export function formatRecord(record: EnrolmentRecord): string {
  const factors = record.factors.map(plain);
  return `${JSON.stringify({ schema: RECORD_SCHEMA, user: record.user, uid: record.uid, factors }, undefined, 2)}\n`;
}

function plain(factor: StoredFactor): object {
  switch (factor.kind) {
    case 'recovery':
      return { ...factor, hashes: factor.hashes.map((hash) => hash.toString('hex')) };
    case 'google-authenticator':
      return { ...factor, file: Buffer.from(factor.file.text, 'latin1').toString('base64') };
    case 'totp':
    case 'hotp':
      return { ...factor, secret: encodeBase32(factor.secret) };
    case 'yubikey-online':
      return factor;
    case 'yubikey-offline':
      return {
        ...factor,
        privateId: factor.privateId.toString('hex'),
        aesKey: factor.aesKey.toString('hex'),
      };
  }
}

const PLAIN_NAME = /^[a-z0-9_-]+$/;

/**
 * The name of a user's file: characters other than `a-z 0-9 _ -` are percent-encoded, so that no name leads elsewhere, and no two
 * names lead to one file, whatever the file system thinks of capitals.
 *
 * @param user - canonical name
 * @returns the file name
 */
export function recordFileName(user: string): string {
  if (PLAIN_NAME.test(user)) {
    return `${user}.json`;
  }
  const bytes = Array.from(Buffer.from(user), (byte) => {
    const character = String.fromCharCode(byte);
    return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return `${bytes.join('')}.json`;
}

function allDiffer(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
