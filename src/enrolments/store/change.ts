import { randomBytes, randomInt } from 'node:crypto';
import type { Algorithm, CodeLength } from '../../factors/hotp-value.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW } from '../../factors/totp.ts';
import type { Account } from '../enrolment.ts';
import { MAX_FACTORS, type EnrolmentRecord, type StoredFactor, type TotpFactor } from './record.ts';

/** RFC 4226, section 4, R6 recommends 160 bits; RFC 6238, section 5.1: a key as long as the hash. */
const SECRET_BYTES: Readonly<Record<Algorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };
const ID_ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const ID_LENGTH = 6;
const DEFAULT_NAME = 'phone';

/** What a new TOTP factor shall be like; what is left out is as phones expect it. */
export interface NewTotp {
  readonly name?: string | undefined;
  readonly algorithm?: Algorithm | undefined;
  readonly digits?: CodeLength | undefined;
  readonly period?: number | undefined;
}

/** Why a record cannot be changed like that. */
export type ChangeErrorCode = 'ERR_NAME_TAKEN' | 'ERR_TOO_MANY_FACTORS' | 'ERR_NO_SUCH_FACTOR';

/** A record cannot be changed like that; the message is for the person who asked. */
export class ChangeError extends Error {
  readonly code: ChangeErrorCode;
  /**
   * @param code - which
   * @param message - what is wrong and what to do
   */
  constructor(code: ChangeErrorCode, message: string) {
    super(message);
    this.name = 'ChangeError';
    this.code = code;
  }
}

/**
 * Adds a TOTP factor with a new secret.
 *
 * @param account - whose
 * @param record - what the user has so far; undefined: nothing
 * @param wanted - what it shall be like
 * @param now - milliseconds since 1970
 * @returns the new record and the new factor
 * @throws ChangeError when the name is taken or there are too many factors
 */
export function addTotp(
  account: Account,
  record: EnrolmentRecord | undefined,
  wanted: NewTotp,
  now: number,
): { record: EnrolmentRecord; factor: TotpFactor } {
  const factors = record?.factors ?? [];
  if (factors.length >= MAX_FACTORS) {
    throw new ChangeError(
      'ERR_TOO_MANY_FACTORS',
      `${account.name} has ${factors.length} factors: remove one first`,
    );
  }
  const algorithm = wanted.algorithm ?? 'sha1';
  const factor: TotpFactor = {
    kind: 'totp',
    id: newId(factors),
    name: freeName(account, factors, wanted.name),
    added: Math.floor(now / 1000),
    secret: randomBytes(SECRET_BYTES[algorithm]),
    algorithm,
    digits: wanted.digits ?? 6,
    period: wanted.period ?? DEFAULT_PERIOD,
    window: DEFAULT_WINDOW,
  };
  return { record: { user: account.name, uid: account.uid, factors: [...factors, factor] }, factor };
}

/**
 * Removes a factor.
 *
 * @param record - what the user has
 * @param idOrName - which factor
 * @returns the new record and the factor that is no longer in it
 * @throws ChangeError when there is no such factor
 */
export function removeFactor(
  record: EnrolmentRecord,
  idOrName: string,
): { record: EnrolmentRecord; factor: StoredFactor } {
  const factor =
    record.factors.find(({ id }) => id === idOrName) ?? record.factors.find(({ name }) => name === idOrName);
  if (factor === undefined) {
    throw new ChangeError(
      'ERR_NO_SUCH_FACTOR',
      `${record.user} has no such factor: see "list ${record.user}"`,
    );
  }
  return { record: { ...record, factors: record.factors.filter((other) => other !== factor) }, factor };
}

function freeName(account: Account, factors: readonly StoredFactor[], wanted: string | undefined): string {
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
  let name = DEFAULT_NAME;
  for (let number = 2; taken.has(name); number++) {
    name = `${DEFAULT_NAME}-${number}`;
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
