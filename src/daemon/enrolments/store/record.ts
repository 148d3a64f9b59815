import { encodeBase32 } from '../../../factors/base32.ts';
import type { Hotp } from '../../../factors/hotp.ts';
import type { Totp } from '../../../factors/totp.ts';
import type { OfflineYubikey } from '../../../factors/yubikey.ts';
import type { AttemptLimit } from '../enrolment.ts';
import type { ImportedFile } from './imported-file.ts';

/* The form of a record, and its limits. */

/** The version of the records that this program writes. */
export const RECORD_SCHEMA = 1;
/** More factors per user would make every login of that user slow. */
export const MAX_FACTORS = 16;
/** The largest record: an imported file of 65536 bytes in base64, and the other factors. */
export const MAX_RECORD_BYTES = 160 * 1024;
/** Names of factors: letters, digits, and a few signs that need no quoting anywhere. */
export const FACTOR_NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$/;
/** The bounds of a factor's own limit of guesses: those of pam_google_authenticator's file. */
export const MAX_LIMIT_ATTEMPTS = 100;
export const MAX_LIMIT_SECONDS = 3_600;

/** The fields of every factor in a record. */
interface Stored {
  readonly id: string;
  readonly name: string;
  readonly added: number;
  readonly paused?: true | undefined;
}
/** Factors with guessable codes may have a limit of guesses that is stricter than the daemon's. */
interface Limited {
  readonly limit?: AttemptLimit | undefined;
}
/** A TOTP factor in a record. */
export type TotpFactor = Stored & Limited & Totp & { readonly kind: 'totp' };
/** An HOTP factor in a record. */
export type HotpFactor = Stored & Limited & Hotp & { readonly kind: 'hotp' };
/** A set of recovery codes in a record: their keyed hashes. The ledger knows which of them are used up. */
export type RecoveryFactor = Stored & {
  readonly kind: 'recovery';
  readonly hashes: readonly Buffer[];
  /** The user's name when the codes were made, if it has changed since; it is part of the hashed text. */
  readonly madeFor?: string | undefined;
};
/** A file of pam_google_authenticator in a record: a phone or token and scratch codes in one. */
export type ImportedFactor = Stored & {
  readonly kind: 'google-authenticator';
  readonly file: ImportedFile;
};
/** A YubiKey in a record that a validation server checks. */
export type OnlineYubikeyFactor = Stored & { readonly kind: 'yubikey-online'; readonly publicId: string };
/** A YubiKey in a record, with its secrets. */
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
