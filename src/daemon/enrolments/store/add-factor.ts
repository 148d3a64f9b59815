import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import { SECRET_BYTES, type Algorithm, type CodeLength } from '../../../factors/hotp-value.ts';
import { newRecoveryCodes, recoveryHash } from '../../../factors/recovery-code.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW } from '../../../factors/totp.ts';
import type { OfflineYubikey } from '../../../factors/yubikey.ts';
import type { Account, AttemptLimit } from '../enrolment.ts';
import { ChangeError } from './change-error.ts';
import {
  MAX_FACTORS,
  type EnrolmentRecord,
  type HotpFactor,
  type OfflineYubikeyFactor,
  type OnlineYubikeyFactor,
  type RecoveryFactor,
  type StoredFactor,
  type TotpFactor,
} from './record.ts';

const ID_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_LENGTH = 6;

/** The settings of a new TOTP or HOTP factor; left-out ones are as phones expect. */
export interface NewToken {
  readonly name?: string | undefined;
  readonly algorithm?: Algorithm | undefined;
  readonly digits?: CodeLength | undefined;
  /** Left out: a new one. */
  readonly secret?: Buffer | undefined;
  readonly limit?: AttemptLimit | undefined;
  readonly window?: number | undefined;
}

/** The settings of a new TOTP factor. */
export interface NewTotp extends NewToken {
  readonly period?: number | undefined;
}

/** The settings of a new HOTP factor. */
export interface NewHotp extends NewToken {
  /** The counter of the next code. */
  readonly counter?: number | undefined;
}

/** A record with one factor more. */
export interface Added<F extends StoredFactor> {
  readonly record: EnrolmentRecord;
  readonly factor: F;
}

/**
 * Adds a TOTP factor.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param wanted - its settings
 * @param now - milliseconds since 1970
 * @returns the new record and the new factor
 * @throws ChangeError when the name is taken, the user has the secret already, or there are too many factors
 */
export function addTotp(
  account: Account,
  record: EnrolmentRecord | undefined,
  wanted: NewTotp,
  now: number,
): Added<TotpFactor> {
  const factor: TotpFactor = {
    kind: 'totp',
    ...stored(account, record, wanted.name, 'phone', now),
    ...generator(account, record, wanted),
    period: wanted.period ?? DEFAULT_PERIOD,
    window: wanted.window ?? DEFAULT_WINDOW,
  };
  return { record: withFactor(account, record, factor), factor };
}

/**
 * Adds an HOTP factor.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param wanted - its settings
 * @param now - milliseconds since 1970
 * @returns the new record and the new factor
 * @throws ChangeError when the name is taken, the user has the secret already, or there are too many factors
 */
export function addHotp(
  account: Account,
  record: EnrolmentRecord | undefined,
  wanted: NewHotp,
  now: number,
): Added<HotpFactor> {
  const factor: HotpFactor = {
    kind: 'hotp',
    ...stored(account, record, wanted.name, 'token', now),
    ...generator(account, record, wanted),
    counter: wanted.counter ?? 0,
    ...(wanted.window === undefined ? {} : { window: wanted.window }),
  };
  return { record: withFactor(account, record, factor), factor };
}

/**
 * Adds a set of recovery codes.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param key - of the hashes, 32 bytes
 * @param now - milliseconds since 1970
 * @param codes - the codes; left out: new ones
 * @returns the new record, the new factor, and the codes: the only time that they are known
 * @throws ChangeError when there is a set already, or there are too many factors
 */
export function addRecovery(
  account: Account,
  record: EnrolmentRecord | undefined,
  key: Uint8Array,
  now: number,
  codes: readonly string[] = newRecoveryCodes(),
): Added<RecoveryFactor> & { readonly codes: readonly string[] } {
  const old = record?.factors.find(({ kind }) => kind === 'recovery');
  if (old !== undefined) {
    throw new ChangeError(
      'ERR_HAS_RECOVERY_CODES',
      `${account.name} has recovery codes already. New ones in their place: pve-google-authenticator recovery --user ${account.name}`,
    );
  }
  const factor: RecoveryFactor = {
    kind: 'recovery',
    ...stored(account, record, undefined, 'codes', now),
    hashes: codes.map((code) => recoveryHash(key, account.name, code)),
  };
  return { record: withFactor(account, record, factor), factor, codes };
}

/**
 * Adds a YubiKey.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param wanted - its public id and, when they are known, its secrets
 * @param name - its name; undefined: the default name
 * @param now - milliseconds since 1970
 * @returns the new record and the new factor
 * @throws ChangeError when the name is taken, the user has this key already, or there are too many factors
 */
export function addYubikey(
  account: Account,
  record: EnrolmentRecord | undefined,
  wanted: { readonly publicId: string } | OfflineYubikey,
  name: string | undefined,
  now: number,
): Added<OnlineYubikeyFactor | OfflineYubikeyFactor> {
  const same = record?.factors.find((factor) => 'publicId' in factor && factor.publicId === wanted.publicId);
  if (same !== undefined) {
    throw new ChangeError(
      'ERR_HAS_YUBIKEY',
      `${account.name} has this YubiKey already: it is ${same.name} (${same.id})`,
    );
  }
  const common = stored(account, record, name, 'yubikey', now);
  const { publicId } = wanted;
  const factor: OnlineYubikeyFactor | OfflineYubikeyFactor =
    'aesKey' in wanted
      ? { kind: 'yubikey-offline', ...common, publicId, privateId: wanted.privateId, aesKey: wanted.aesKey }
      : { kind: 'yubikey-online', ...common, publicId };
  return { record: withFactor(account, record, factor), factor };
}

/**
 * What every new factor has.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param name - as wanted; undefined: the usual one, numbered if need be
 * @param usualName - of factors of this kind
 * @param now - milliseconds since 1970
 * @returns id, name and when it was added
 * @throws ChangeError when the name is taken or there are too many factors
 */
export function stored(
  account: Account,
  record: EnrolmentRecord | undefined,
  name: string | undefined,
  usualName: string,
  now: number,
): Pick<StoredFactor, 'id' | 'name' | 'added'> {
  const factors = record?.factors ?? [];
  if (factors.length >= MAX_FACTORS) {
    throw new ChangeError(
      'ERR_TOO_MANY_FACTORS',
      `${account.name} has ${factors.length} factors: remove one first`,
    );
  }
  return {
    id: newId(factors),
    name: freeName(account, factors, name, usualName),
    added: Math.floor(now / 1000),
  };
}

/** If a secret were enrolled twice, its codes would still work after one removal. */
function generator(
  { name }: Account,
  record: EnrolmentRecord | undefined,
  { algorithm = 'sha1', digits = 6, secret = randomBytes(SECRET_BYTES[algorithm]), limit }: NewToken,
): Pick<TotpFactor, 'secret' | 'algorithm' | 'digits' | 'limit'> {
  const same = record?.factors.find((factor) => 'secret' in factor && isSame(factor.secret, secret));
  if (same !== undefined) {
    throw new ChangeError(
      'ERR_HAS_SECRET',
      `${name} has a factor with this secret already: it is ${same.name} (${same.id})`,
    );
  }
  return { secret, algorithm, digits, ...(limit === undefined ? {} : { limit }) };
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * A record with one factor more.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param factor - the new one
 * @returns the new record
 */
export function withFactor(
  account: Account,
  record: EnrolmentRecord | undefined,
  factor: StoredFactor,
): EnrolmentRecord {
  return { user: account.name, uid: account.uid, factors: [...(record?.factors ?? []), factor] };
}

function freeName(
  account: Account,
  factors: readonly StoredFactor[],
  wanted: string | undefined,
  usual: string,
): string {
  const taken = new Set(factors.map(({ name }) => name));
  if (wanted !== undefined) {
    if (taken.has(wanted)) {
      throw new ChangeError(
        'ERR_NAME_TAKEN',
        `${account.name} has a factor named ${wanted} already: choose another name`,
      );
    }
    return wanted;
  }
  let name = usual;
  for (let number = 2; taken.has(name); number++) {
    name = `${usual}-${number}`;
  }
  return name;
}

function newId(factors: readonly StoredFactor[]): string {
  const taken = new Set(factors.map(({ id }) => id));
  for (;;) {
    const id = Array.from({ length: ID_LENGTH }, () =>
      ID_ALPHABET.charAt(randomInt(ID_ALPHABET.length)),
    ).join('');
    if (!taken.has(id)) {
      return id;
    }
  }
}
