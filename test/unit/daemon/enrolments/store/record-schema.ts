import { z } from 'zod';
import { decodeBase32 } from '../../../../../src/factors/base32.ts';
import { ALGORITHMS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../../../../src/factors/hotp-value.ts';
import { MAX_COUNTER } from '../../../../../src/factors/hotp.ts';
import { RECOVERY_CODES, RECOVERY_HASH_BYTES } from '../../../../../src/factors/recovery-code.ts';
import { MAX_WINDOW } from '../../../../../src/factors/totp.ts';
import { readImportedFile } from '../../../../../src/daemon/enrolments/store/imported-file.ts';
import {
  FACTOR_NAME,
  MAX_FACTORS,
  MAX_LIMIT_ATTEMPTS,
  MAX_LIMIT_SECONDS,
  RECORD_SCHEMA,
} from '../../../../../src/daemon/enrolments/store/record.ts';
import { AES_KEY_BYTES, isPublicId, PRIVATE_ID_BYTES } from '../../../../../src/yubico-otp/index.ts';

const MIN_PERIOD = 1;
const MAX_PERIOD = 300;

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
  madeFor: z.string().min(1).optional(),
});

/** The file as it was imported; the ledger knows which codes were used since. */
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

/** Several keys may have no public id, but a key that needs a look-up must have one. */
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

/** A second definition of records, which parseRecord must agree with. */
export const recordSchema = z.strictObject({
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

function allDiffer(texts: readonly string[]): boolean {
  return new Set(texts).size === texts.length;
}
