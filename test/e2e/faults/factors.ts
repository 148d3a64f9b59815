import { randomBytes } from 'node:crypto';
import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { recordFileName } from '../../../src/contracts/record-file-name.ts';
import {
  formatRecord,
  type HotpFactor,
  type RecoveryFactor,
  type StoredFactor,
  type TotpFactor,
} from '../../../src/daemon/enrolments/store/record.ts';
import { hotpValue, type CodeLength } from '../../../src/factors/hotp-value.ts';
import { newRecoveryCodes, recoveryHash } from '../../../src/factors/recovery-code.ts';
import { AS_ROOT, DAEMON_UID, type Stage } from '../daemon/stage.ts';

/** Somebody who has an account. */
export interface Account {
  readonly name: string;
  readonly uid: number;
}

/** Somebody with a token: a code for each press of its button. */
export interface TokenOwner extends Account {
  readonly code: (counter: number) => string;
}

/** Somebody with a sheet of recovery codes. */
export interface SheetOwner extends Account {
  readonly codes: readonly string[];
}

/**
 * Writes a record as the daemon would, but at once and without root.
 *
 * @param stage - where
 * @param account - whose
 * @param factors - the factors
 */
export function enrol(stage: Stage, { name, uid }: Account, factors: readonly StoredFactor[]): void {
  const file = recordFile(stage, name);
  writeFileSync(file, formatRecord({ user: name, uid, factors }), { mode: 0o600 });
  chownSync(file, DAEMON_UID, AS_ROOT ? DAEMON_UID : process.getgid!());
}

/** Where a user's record is. */
export function recordFile(stage: Stage, name: string): string {
  return `${stage.stateDir}/enrolments/${recordFileName(name)}`;
}

/** Somebody new with an HOTP token. */
export function tokenOwner(stage: Stage, digits: CodeLength = 6): TokenOwner {
  const account = stage.person({ enrolled: false });
  const factor: HotpFactor = { ...hotpFactor(), digits };
  enrol(stage, account, [factor]);
  return { ...accountOf(account), code: (counter) => hotpValue(factor, counter).toString() };
}

/** Somebody new with ten recovery codes. */
export function sheetOwner(stage: Stage): SheetOwner {
  const account = stage.person({ enrolled: false });
  const { factor, codes } = recoveryFactor(stage, account.name);
  enrol(stage, account, [factor]);
  return { ...accountOf(account), codes };
}

/** A new HOTP factor. */
export function hotpFactor(): HotpFactor {
  return { kind: 'hotp', id: 'e2e2', name: 'token', added: 0, ...generator(), counter: 0 };
}

/** A new TOTP factor. */
export function totpFactor(period: number, window = 3): TotpFactor {
  return { kind: 'totp', id: 'e2e1', name: 'phone', added: 0, ...generator(), period, window };
}

/** New recovery codes of a user. */
export function recoveryFactor(
  stage: Stage,
  user: string,
): { factor: RecoveryFactor; codes: readonly string[] } {
  const marker = JSON.parse(readFileSync(`${stage.stateDir}/store.json`, 'utf8')) as { recoveryKey: string };
  const key = Buffer.from(marker.recoveryKey, 'hex');
  const codes = newRecoveryCodes();
  const hashes = codes.map((code) => recoveryHash(key, user, code));
  return { factor: { kind: 'recovery', id: 'e2e3', name: 'codes', added: 0, hashes }, codes };
}

function generator(): Pick<TotpFactor, 'secret' | 'algorithm' | 'digits'> {
  return { secret: randomBytes(20), algorithm: 'sha1', digits: 6 };
}

function accountOf({ name, uid }: Account): Account {
  return { name, uid };
}
