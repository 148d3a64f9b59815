import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Account, Lookup } from '../../../../../src/daemon/enrolments/enrolment.ts';
import {
  formatRecord,
  type EnrolmentRecord,
  type TotpFactor,
  MAX_RECORD_BYTES,
} from '../../../../../src/daemon/enrolments/store/record.ts';
import { Store } from '../../../../../src/daemon/enrolments/store/store.ts';
import { storeSource } from '../../../../../src/daemon/enrolments/store/store-source.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { asOtherUser, canActAsOther, isRoot, OTHER_UID } from '../../../fixtures/other-user.ts';
import { temporaryDirectories } from '../../../fixtures/temporary-directory.ts';
import { verified } from '../../../fixtures/verified.ts';

const makeDirectory = temporaryDirectories();
const ALICE: Account = { name: 'alice', uid: 1000 };
const NOW = 1_700_000_000_000;
const OTHER_SECRET = Buffer.alloc(20, 7);

const factor = (name = 'phone'): TotpFactor => ({
  kind: 'totp',
  id: 'abcdef',
  name,
  added: 1,
  secret: Buffer.from('12345678901234567890'),
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  window: 3,
});
const record = (...factors: TotpFactor[]): EnrolmentRecord => ({ user: 'alice', uid: 1000, factors });

let directory: string;
let file: string;
let store: Store;
let ledger: InMemoryLedger;

beforeEach(() => {
  directory = makeDirectory();
  file = join(directory, 'enrolments', 'alice.json');
  store = new Store({ path: (relative) => join(directory, relative) });
  store.initialise();
  ledger = new InMemoryLedger();
});

const lookUp = async (account: Account = ALICE): Promise<Lookup> =>
  storeSource(store, ledger, () => 0).lookUp(account);

describe('Store', () => {
  it('is made with a marker and an empty directory that nobody else can read', () => {
    expect(store.initialised).toBe(true);
    expect(store.empty).toBe(true);
    expect(statSync(join(directory, 'enrolments')).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'store.json')).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).sort()).toEqual(['enrolments', 'store.json']);
  });

  it.each(['', '{}', '{"schema":2}', '{"schema":1,"more":1}', 'null', '[]', '\0\0'])(
    'does not take %j for its marker',
    (text) => {
      writeFileSync(join(directory, 'store.json'), text);
      expect(store.initialised).toBe(false);
    },
  );

  it('writes a record that reads back, for nobody else to read, and leaves no other file', () => {
    const before = process.umask(0);
    try {
      store.write(record(factor()));
    } finally {
      process.umask(before);
    }
    expect(store.read(ALICE)).toEqual(record(factor()));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(directory, 'enrolments'))).toEqual(['alice.json']);
    expect(store.empty).toBe(false);
  });

  it('replaces the file and never writes into the one that is there', () => {
    store.write(record(factor('old')));
    const inode = statSync(file).ino;
    store.write(record(factor('new')));
    expect(statSync(file).ino).not.toBe(inode);
    expect(store.read(ALICE)?.factors[0]?.name).toBe('new');
  });

  it('overwrites a half-written file of a killed daemon', () => {
    writeFileSync(join(directory, 'enrolments', '.alice.json.new'), 'x'.repeat(5_000));
    store.write(record(factor()));
    expect(store.read(ALICE)).toEqual(record(factor()));
    expect(store.users()).toEqual(['alice']);
  });

  it('leaves the old record as it was when the new one cannot be made', () => {
    store.write(record(factor('old')));
    const before = readFileSync(file, 'utf8');
    mkdirSync(join(directory, 'enrolments', '.alice.json.new'));
    expect(() => store.write(record(factor('new')))).toThrow();
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.runIf(canActAsOther)('leaves the old record as it was when the directory cannot be written', () => {
    store.write(record(factor('old')));
    giveAway();
    chmodSync(join(directory, 'enrolments'), 0o500);
    expect(() => asOtherUser(() => store.write(record(factor('new'))))).toThrow();
    expect(readdirSync(join(directory, 'enrolments'))).toEqual(['alice.json']);
    expect(store.read(ALICE)?.factors[0]?.name).toBe('old');
    chmodSync(join(directory, 'enrolments'), 0o700);
  });

  it('does not write through a link', () => {
    const elsewhere = join(directory, 'elsewhere');
    writeFileSync(elsewhere, 'untouched');
    symlinkSync(elsewhere, join(directory, 'enrolments', '.alice.json.new'));
    expect(() => store.write(record(factor()))).toThrow();
    expect(readFileSync(elsewhere, 'utf8')).toBe('untouched');
  });

  it('removes a record, and says when there is none', () => {
    store.write(record(factor()));
    store.remove('alice');
    expect(existsSync(file)).toBe(false);
    expect(() => store.remove('alice')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('lists the users by their names, and nothing else', () => {
    for (const user of ['bob', 'Ann', 'jürgen', '../x']) {
      store.write({ user, uid: 5, factors: [] });
    }
    writeFileSync(join(directory, 'enrolments', '.bob.json.new'), '');
    writeFileSync(join(directory, 'enrolments', 'README'), '');
    expect(store.users()).toEqual(['../x', 'Ann', 'bob', 'jürgen']);
  });

  it('lists users despite foreign files', () => {
    store.write({ user: 'bob', uid: 5, factors: [] });
    for (const name of ['%.json', '100%.json', '%FF.json', 'Ann.json', '%62ob.json', 'a.b.json', '.json']) {
      writeFileSync(join(directory, 'enrolments', name), '');
    }
    expect(store.users()).toEqual(['bob']);
  });
});

describe('isCurrent', () => {
  /** Reads the record, changes something, and asks. */
  const afterwards = (change: () => void): boolean => {
    store.write(record(factor()));
    const read = store.read(ALICE)!;
    change();
    return store.isCurrent(read);
  };

  it('says yes when nothing has changed', () => {
    expect(afterwards(() => undefined)).toBe(true);
    expect(afterwards(() => void store.read(ALICE))).toBe(true);
  });

  it.each([
    ['is written again', () => store.write(record(factor()))],
    ['is removed', () => store.remove('alice')],
    ['is removed by somebody else', () => rmSync(file)],
    ['is replaced by a copy that looks as old', () => replaceByCopy()],
    [
      'gets other content of the same length',
      () => writeRecord(record({ ...factor(), secret: OTHER_SECRET })),
    ],
    ['gets another owner or other rights', () => chmodSync(file, 0o400)],
    ['becomes a link to itself', () => replaceByLink()],
    ['belongs to another user that was changed', () => store.write({ user: 'bob', uid: 5, factors: [] })],
  ])('says no when the record %s', (_name, change) => {
    expect(afterwards(change)).toBe(false);
  });

  it('says no to a record that it has not read', () => {
    store.write(record(factor()));
    expect(store.isCurrent(record(factor()))).toBe(false);
  });
});

describe('storeSource', () => {
  it('finds a user who is enrolled', async () => {
    store.write(record(factor()));
    expect(await lookUp()).toMatchObject({
      kind: 'enrolled',
      enrolment: { shapes: [{ class: 'digits', length: 6 }] },
    });
  });

  it('says absent only when the store is there and the record is not', async () => {
    expect(await lookUp()).toEqual({ kind: 'absent' });
    store.write(record(factor()));
    expect(await lookUp({ name: 'bob', uid: 1001 })).toEqual({ kind: 'absent' });
    store.remove('alice');
    expect(await lookUp()).toEqual({ kind: 'absent' });
  });

  const breakages: readonly (readonly [string, Lookup['kind'], () => void])[] = [
    ['without its marker', 'failed', () => rmSync(join(directory, 'store.json'))],
    ['with a marker of another schema', 'failed', () => writeMarker('{"schema":2}')],
    ['with an emptied marker', 'failed', () => writeMarker('')],
    ['without its directory of enrolments', 'failed', () => removeEnrolments()],
    ['with a file in place of its directory', 'failed', () => replaceEnrolments()],
    ['with a link in place of its directory', 'failed', () => linkEnrolments()],
    ['that is gone altogether', 'failed', () => rmSync(directory, { recursive: true })],
    ['with a link in place of the record', 'failed', () => symlinkSync(join(directory, 'store.json'), file)],
    ['with a dangling link in place of the record', 'failed', () => symlinkSync('/nowhere', file)],
    ['with a directory in place of the record', 'blocked', () => mkdirSync(file)],
    ['with a pipe in place of the record', 'blocked', () => execFileSync('mkfifo', [file])],
    ['with an emptied record', 'blocked', () => writeFileSync(file, '')],
    ['with a record of NULs', 'blocked', () => writeFileSync(file, Buffer.alloc(500))],
    ['with a record that is no record', 'blocked', () => writeFileSync(file, '{}')],
    ['with too large a record', 'blocked', () => writeFileSync(file, padded(MAX_RECORD_BYTES + 1))],
    ['with a record without factors', 'blocked', () => store.write(record())],
    ['with nothing but paused factors', 'blocked', () => store.write(record({ ...factor(), paused: true }))],
    ['with the record of another uid', 'blocked', () => writeRecord({ ...record(factor()), uid: 1001 })],
    ['with the record of another user', 'blocked', () => writeRecord({ ...record(factor()), user: 'bob' })],
    [
      'with the record of another spelling',
      'blocked',
      () => writeRecord({ ...record(factor()), user: 'Alice' }),
    ],
  ];

  it.each(breakages)('meets a store %s with "%s", never with "absent"', async (_name, kind, breakIt) => {
    breakIt();
    const lookup = await lookUp();
    expect(lookup.kind).toBe(kind);
    expect(lookup).toHaveProperty('why', expect.stringMatching(/^record of alice: ./));
  });

  it('takes the largest record', async () => {
    writeFileSync(file, padded(MAX_RECORD_BYTES));
    expect((await lookUp()).kind).toBe('enrolled');
  });

  it.runIf(canActAsOther)('says failed, not absent, when it may not look', async () => {
    store.write(record(factor()));
    giveAway();
    for (const path of [file, join(directory, 'enrolments'), directory]) {
      const mode = statSync(path).mode;
      chmodSync(path, 0);
      const lookup = await asOtherUser(() => lookUp());
      const stranger = await asOtherUser(() => lookUp({ name: 'bob', uid: 1001 }));
      chmodSync(path, mode);
      expect(lookup.kind, path).toBe('failed');
      expect(stranger.kind, path).toBe(path === file ? 'absent' : 'failed');
    }
  });

  it('says failed for a name that no file can have', async () => {
    expect((await lookUp({ name: 'x'.repeat(300), uid: 5 })).kind).toBe('failed');
  });

  it('accepts a right code, once', async () => {
    store.write(record(factor()));
    const lookup = await lookUp();
    expect(await verify(lookup)).toEqual({ kind: 'accepted', factor: 'totp:phone', reading: 0 });
    expect(await verify(lookup)).toEqual({
      kind: 'rejected',
      reason: 'code-already-used',
      factor: 'totp:phone',
    });
  });

  it.each([
    ['was removed', () => store.write(record({ ...factor(), secret: OTHER_SECRET }))],
    ['was changed in place', () => writeRecord(record({ ...factor(), secret: OTHER_SECRET }))],
    ['went with the whole record', () => store.remove('alice')],
    ['cannot be read any more', () => writeFileSync(file, '')],
    ['belongs to somebody else by now', () => writeRecord({ ...record(factor()), uid: 7 })],
  ])('accepts no code of a factor that %s while the person was typing', async (_name, change) => {
    store.write(record(factor()));
    const lookup = await lookUp();
    change();
    expect(await verify(lookup)).toEqual({ kind: 'rejected', reason: 'wrong-code' });
    expect(ledger.advances).toEqual([]);
  });
});

/** Root may write everything, so a forbidden file must be owned by another user. */
function giveAway(): void {
  if (isRoot) {
    for (const path of [directory, join(directory, 'enrolments'), join(directory, 'store.json'), file]) {
      chownSync(path, OTHER_UID, OTHER_UID);
    }
  }
}

function writeMarker(text: string): void {
  writeFileSync(join(directory, 'store.json'), text);
}

function removeEnrolments(): void {
  rmSync(join(directory, 'enrolments'), { recursive: true });
}

function replaceEnrolments(): void {
  removeEnrolments();
  writeFileSync(join(directory, 'enrolments'), '');
}

function linkEnrolments(): void {
  renameSync(join(directory, 'enrolments'), join(directory, 'other'));
  symlinkSync('other', join(directory, 'enrolments'));
}

function writeRecord(content: EnrolmentRecord): void {
  writeFileSync(file, formatRecord(content));
}

function replaceByCopy(): void {
  copyFileSync(file, `${file}.copy`);
  const { atime, mtime } = statSync(file);
  utimesSync(`${file}.copy`, atime, mtime);
  renameSync(`${file}.copy`, file);
}

function replaceByLink(): void {
  renameSync(file, `${file}.real`);
  symlinkSync(`${file}.real`, file);
}

/** A valid record with spaces behind it. */
function padded(length: number): string {
  return formatRecord(record(factor())).padEnd(length, ' ');
}

async function verify(lookup: Lookup): Promise<unknown> {
  if (lookup.kind !== 'enrolled') {
    return expect.unreachable('the user is not enrolled');
  }
  const text = hotpValue(factor(), Math.floor(NOW / 30_000));
  return verified(lookup.enrolment, ledger, [{ shape: { class: 'digits', length: 6 }, text }], NOW);
}
