import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { recordFileName } from '../../src/contracts/record-file-name.ts';
import { formatRecord, type StoredFactor } from '../../src/daemon/enrolments/store/record.ts';
import { encodeBase32 } from '../../src/factors/base32.ts';
import { recoveryHash } from '../../src/factors/recovery-code.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW } from '../../src/factors/totp.ts';
import { CODES_PER_SET, recoveryCode, scratchCode, type User } from './users.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/** Numbers of the codes of a set. */
const setFrom = (first: number): number[] =>
  Array.from({ length: CODES_PER_SET }, (_, number) => first + number);

/**
 * Puts users into the store of a daemon that has made one.
 *
 * @param stateDir - of the daemon
 * @param uid - whose the files shall be
 * @param users - who
 * @param first - number of the first recovery code
 */
export function enrolInStore(stateDir: string, uid: number, users: readonly User[], first = 0): void {
  const { recoveryKey } = JSON.parse(readFileSync(`${stateDir}/store.json`, 'utf8')) as {
    recoveryKey: string;
  };
  const key = Buffer.from(recoveryKey, 'hex');
  for (const user of users) {
    const path = `${stateDir}/enrolments/${recordFileName(user.name)}`;
    const record = { user: user.name, uid: user.uid, factors: factorsOf(user, key, first) };
    writeFileSync(path, formatRecord(record), { mode: OWNER_ONLY });
    chownSync(path, uid, uid);
  }
}

function factorsOf(user: User, key: Uint8Array, first: number): StoredFactor[] {
  const generator = { added: 0, secret: user.secret, algorithm: 'sha1', digits: 6 } as const;
  if (user.kind === 'hotp') {
    return [{ ...generator, kind: 'hotp', id: 'hotp1', name: 'token', counter: 1 }];
  }
  const totp: StoredFactor = {
    ...generator,
    kind: 'totp',
    id: 'totp1',
    name: 'phone',
    period: DEFAULT_PERIOD,
    window: DEFAULT_WINDOW,
  };
  const hashes = setFrom(first).map((number) => recoveryHash(key, user.name, recoveryCode(user, number)));
  return user.kind === 'totp'
    ? [totp]
    : [totp, { kind: 'recovery', id: 'recovery1', name: 'paper', added: 0, hashes }];
}

/** The file of a user whose attempts the peer limits, below the home. */
export const LIMITED_FILE = '.google_authenticator_limited';

/** The variants of the peer's files. */
export interface HomeFile {
  /** Number of the first scratch code. */
  readonly first?: number;
  /** With `RATE_LIMIT 3 30`, in {@link LIMITED_FILE}. */
  readonly limited?: boolean;
}

/**
 * Writes the state files of pam_google_authenticator, as its own command does, into the users' homes.
 *
 * @param homes - directory of the homes
 * @param users - who
 * @param how - which files
 */
export function enrolAtHome(
  homes: string,
  users: readonly User[],
  { first = 0, limited = false }: HomeFile = {},
): void {
  for (const user of users) {
    const home = `${homes}/${user.name}`;
    const file = `${home}/${limited ? LIMITED_FILE : '.google_authenticator'}`;
    const options = [
      ...(limited ? ['" RATE_LIMIT 3 30'] : []),
      ...(user.kind === 'hotp'
        ? ['" HOTP_COUNTER 1']
        : ['" WINDOW_SIZE 3', '" DISALLOW_REUSE', '" TOTP_AUTH']),
    ];
    const codes =
      user.kind === 'totp-and-recovery' ? setFrom(first).map((number) => scratchCode(user, number)) : [];
    mkdirSync(home, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    writeFileSync(file, `${[encodeBase32(user.secret), ...options, ...codes].join('\n')}\n`, { mode: 0o400 });
    chownSync(file, user.uid, user.uid);
    chownSync(home, user.uid, user.uid);
  }
}

/**
 * Writes the users file of pam_oath: HOTP for everybody.
 *
 * @param file - its path; pam_oath makes other files beside it
 * @param users - who
 */
export function enrolInUsersFile(file: string, users: readonly User[]): void {
  const lines = users.map(({ name, secret }) => `HOTP ${name} - ${secret.toString('hex')}\n`);
  writeFileSync(file, lines.join(''), { mode: OWNER_ONLY });
}
