import { hostname } from 'node:os';
import { z } from 'zod';
import { encodeBase32 } from '../factors/base32.ts';
import { ALGORITHMS } from '../factors/hotp-value.ts';
import { otpauthUri } from '../factors/otpauth-uri.ts';
import type { Account } from '../enrolments/enrolment.ts';
import { addHotp, addRecovery, addTotp, ChangeError, removeFactor } from '../enrolments/store/change.ts';
import { hotpKey, recoveryKey, scratchKey, totpKey } from '../enrolments/store/factor-keys.ts';
import {
  FACTOR_NAME,
  RecordError,
  type EnrolmentRecord,
  type StoredFactor,
} from '../enrolments/store/record.ts';
import { NotDurableError, type Store } from '../enrolments/store/store.ts';
import { lookUpUser } from '../host/addon.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { loggable } from '../log/escape.ts';
import type { Log } from '../log/log.ts';
import { ControlError } from './control-error.ts';
import {
  MAX_NEW_PERIOD,
  MIN_NEW_PERIOD,
  type AddedFactor,
  type FactorView,
  type UserView,
} from './requests.ts';

/** What requests about factors need. */
export interface FactorPorts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly log: Log;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

const token = {
  name: z
    .string()
    .regex(FACTOR_NAME, 'letters, digits and ._@- only, at most 32, beginning with a letter or digit')
    .optional(),
  algorithm: z.enum(ALGORITHMS).optional(),
  digits: z.union([z.literal(6), z.literal(7), z.literal(8)], 'must be 6, 7 or 8').optional(),
};

const addSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('totp'),
    ...token,
    period: z.int().min(MIN_NEW_PERIOD).max(MAX_NEW_PERIOD).optional(),
  }),
  z.strictObject({ kind: z.literal('hotp'), ...token }),
  z.strictObject({ kind: z.literal('recovery') }),
]);

/**
 * Adds a factor with a new secret.
 *
 * @param ports - store, ledger, log, clock
 * @param userName - whose
 * @param body - an AddRequest, not yet checked
 * @returns the factor with its secret
 * @throws ControlError when the request or the record does not allow it
 */
export async function addFactor(ports: FactorPorts, userName: string, body: unknown): Promise<AddedFactor> {
  const wanted = addSchema.safeParse(body);
  if (!wanted.success) {
    const [issue] = wanted.error.issues;
    throw new ControlError(
      400,
      'ERR_BAD_REQUEST',
      `${issue?.path.join('.') || 'request'}: ${issue?.message ?? 'wrong'}`,
    );
  }
  const account = await existingAccount(userName);
  const { record, factor, shown } = refusing(() => added(ports, account, wanted.data));
  save(ports, account, () => ports.store.write(record));
  ports.log.event('notice', `Factor ${factor.kind}:${factor.name} added for ${loggable(account.name)}`, {
    id: factor.id,
  });
  return { user: account.name, factor: viewOf(ports, account.name, factor), ...shown };
}

interface Addition {
  readonly record: EnrolmentRecord;
  readonly factor: StoredFactor;
  /** What is shown this once. */
  readonly shown: Pick<AddedFactor, 'secret' | 'uri' | 'codes'>;
}

function added(ports: FactorPorts, account: Account, wanted: z.infer<typeof addSchema>): Addition {
  const before = recordOf(ports, account);
  const now = ports.now();
  if (wanted.kind === 'recovery') {
    const { record, factor, codes } = addRecovery(account, before, ports.store.recoveryKey, now);
    return { record, factor, shown: { codes } };
  }
  const { record, factor } =
    wanted.kind === 'totp' ? addTotp(account, before, wanted, now) : addHotp(account, before, wanted, now);
  const uri = otpauthUri(factor, hostname(), account.name);
  return { record, factor, shown: { secret: encodeBase32(factor.secret), uri } };
}

/**
 * Removes a factor. With the last one the user's record goes, and the user is not enrolled any more.
 *
 * @param ports - store, ledger, log, clock
 * @param userName - whose
 * @param idOrName - which
 * @returns what the user has left
 * @throws ControlError when there is no such user or factor
 */
export async function dropFactor(ports: FactorPorts, userName: string, idOrName: string): Promise<UserView> {
  const account = await existingAccount(userName);
  const before = recordOf(ports, account);
  return saveWithout(ports, account, before, idOrName);
}

/**
 * Removes a factor of a record that was read just now.
 *
 * @param ports - store, ledger, log, clock
 * @param account - whose
 * @param before - what the user has; undefined: nothing
 * @param idOrName - which
 * @returns what the user has left
 * @throws ControlError when there is no such factor
 */
export function saveWithout(
  ports: FactorPorts,
  account: Account,
  before: EnrolmentRecord | undefined,
  idOrName: string,
): UserView {
  if (before === undefined) {
    throw new ControlError(404, 'ERR_NOT_ENROLLED', `${account.name} has no factor`);
  }
  const { record, factor } = refusing(() => removeFactor(before, idOrName));
  save(ports, account, () =>
    record.factors.length === 0 ? ports.store.remove(record.user) : ports.store.write(record),
  );
  ports.log.event('notice', `Factor ${factor.kind}:${factor.name} removed for ${loggable(account.name)}`, {
    id: factor.id,
  });
  return userView(ports, record);
}

/**
 * What one user has enrolled.
 *
 * @param ports - store, ledger, log, clock
 * @param userName - who
 * @returns the factors, without their secrets; none when the user is not enrolled
 * @throws ControlError when there is no such user
 */
export async function showUser(ports: FactorPorts, userName: string): Promise<UserView> {
  const account = await existingAccount(userName);
  return userView(ports, recordOf(ports, account) ?? { user: account.name, uid: account.uid, factors: [] });
}

/**
 * What all users have enrolled.
 *
 * @param ports - store, ledger, log, clock
 * @returns one entry for each record; one that cannot be used says why
 */
export async function showUsers(ports: FactorPorts): Promise<UserView[]> {
  const views: UserView[] = [];
  for (const user of ports.store.users()) {
    views.push(await viewOrProblem(ports, user));
  }
  return views;
}

async function viewOrProblem(ports: FactorPorts, user: string): Promise<UserView> {
  try {
    return await showUser(ports, user);
  } catch (error) {
    const problem = error instanceof ControlError ? error.message : 'its record cannot be read';
    return { user, uid: -1, factors: [], problem };
  }
}

/**
 * The account of a name.
 *
 * @param name - as the request says it
 * @returns the account, with its canonical name
 * @throws ControlError when there is no such user
 */
export async function existingAccount(name: string): Promise<Account> {
  const entry = name === '' || name.includes('\0') ? undefined : await lookUpUser(name);
  if (entry === undefined) {
    throw new ControlError(404, 'ERR_NO_SUCH_USER', `There is no user ${loggable(name)} on this machine`);
  }
  return { name: entry.name, uid: entry.uid };
}

/**
 * What a user has enrolled.
 *
 * @param ports - store, ledger, log, clock
 * @param account - who
 * @returns the record; undefined when there is none
 * @throws ControlError when it cannot be used or read
 */
export function recordOf(ports: FactorPorts, account: Account): EnrolmentRecord | undefined {
  try {
    return ports.store.read(account);
  } catch (error) {
    if (error instanceof RecordError) {
      throw new ControlError(
        409,
        error.code,
        `The record of ${account.name} cannot be used: ${error.message}`,
      );
    }
    throw unavailable('read', error);
  }
}

/**
 * Makes a change of a record.
 *
 * @param change - what is tried
 * @returns its result
 * @throws ControlError when the record does not allow it
 */
export function refusing<T>(change: () => T): T {
  try {
    return change();
  } catch (error) {
    if (error instanceof ChangeError) {
      throw new ControlError(error.code === 'ERR_NO_SUCH_FACTOR' ? 404 : 409, error.code, error.message);
    }
    throw error;
  }
}

/**
 * Writes a change of a user's record.
 *
 * @param ports - store, ledger, log, clock
 * @param account - whose
 * @param write - writes it
 * @throws ControlError when the store does not take it
 */
export function save({ log }: FactorPorts, { name }: Account, write: () => void): void {
  try {
    write();
  } catch (error) {
    if (error instanceof NotDurableError) {
      log.event('error', `A change of the factors of ${loggable(name)} could not be made durable`);
    }
    throw unavailable('written', error);
  }
}

function unavailable(what: string, error: unknown): ControlError {
  if (error instanceof NotDurableError) {
    return new ControlError(
      503,
      'ERR_STORE',
      'The change was made, but the disk does not confirm it: it may be lost. See "list" before you try again.',
    );
  }
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  return new ControlError(503, 'ERR_STORE', `The store cannot be ${what}${code}. Nothing was changed.`);
}

function userView(ports: FactorPorts, record: EnrolmentRecord): UserView {
  return {
    user: record.user,
    uid: record.uid,
    factors: record.factors.map((factor) => viewOf(ports, record.user, factor)),
  };
}

/**
 * A factor without its secret.
 *
 * @param ports - store, ledger, log, clock
 * @param user - canonical name of whose it is
 * @param factor - the factor
 * @returns what may be shown of it
 */
export function viewOf({ ledger }: FactorPorts, user: string, factor: StoredFactor): FactorView {
  const { id, kind, name } = factor;
  const keys = keysOf(user, factor);
  const uses = keys.flatMap((key) => ledger.mark(key) ?? []).map(({ at }) => at);
  const view = {
    id,
    kind,
    name,
    added: new Date(factor.added * 1000).toISOString(),
    lastUsed: uses.length === 0 ? null : new Date(Math.max(...uses) * 1000).toISOString(),
  };
  switch (factor.kind) {
    case 'totp':
      return { ...view, algorithm: factor.algorithm, digits: factor.digits, period: factor.period };
    case 'hotp':
      return { ...view, algorithm: factor.algorithm, digits: factor.digits };
    case 'recovery':
      return { ...view, codesLeft: keys.length - uses.length };
    case 'google-authenticator': {
      const { token, scratch } = factor.file;
      const left = scratch.codes.filter(
        (code) => ledger.mark(scratchKey(user, scratch, code)) === undefined,
      ).length;
      return {
        ...view,
        ...(token === undefined
          ? {}
          : { codes: token.kind, algorithm: token.algorithm, digits: token.digits }),
        ...(token?.kind === 'totp' ? { period: token.period } : {}),
        codesLeft: left,
      };
    }
  }
}

function keysOf(user: string, factor: StoredFactor): string[] {
  switch (factor.kind) {
    case 'totp':
      return [totpKey(user, factor)];
    case 'hotp':
      return [hotpKey(user, factor)];
    case 'recovery':
      return factor.hashes.map((hash) => recoveryKey(user, hash));
    case 'google-authenticator': {
      const { token, scratch } = factor.file;
      return [
        ...(token === undefined ? [] : [token.kind === 'totp' ? totpKey(user, token) : hotpKey(user, token)]),
        ...scratch.codes.map((code) => scratchKey(user, scratch, code)),
      ];
    }
  }
}
