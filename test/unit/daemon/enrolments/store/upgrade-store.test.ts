import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Store } from '../../../../../src/daemon/enrolments/store/store.ts';
import {
  StoreSchemaError,
  upgradeStore,
  type Upgrade,
} from '../../../../../src/daemon/enrolments/store/upgrade-store.ts';

/* No real store has a schema before 1, so these tests invent one, with users called `login` and without a list of factors. */
const UPGRADES = new Map<number, Upgrade>([
  [-1, ({ name, ...others }) => ({ ...others, login: name })],
  [0, ({ login, ...others }) => ({ ...others, user: login, factors: [] })],
]);
const KEY = 'ab'.repeat(32);
const BACKUP = 'schema-0.backup';

let directory: string;
const files = { path: (name: string): string => join(directory, name) };
const put = (name: string, value: unknown): void =>
  writeFileSync(files.path(name), typeof value === 'string' ? value : JSON.stringify(value), { mode: 0o600 });
const textOf = (name: string): string => readFileSync(files.path(name), 'utf8');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'upgrade-'));
  mkdirSync(files.path('enrolments'), { mode: 0o700 });
  put('store.json', { schema: 0, recoveryKey: KEY });
  put('enrolments/alice.json', { schema: 0, login: 'alice', uid: 1000 });
  put('enrolments/bob.json', { schema: 0, login: 'bob', uid: 1001 });
});
afterEach(() => rmSync(directory, { recursive: true }));

const isWhole = (): void => {
  const store = new Store(files);
  expect(store.initialised).toBe(true);
  expect(Buffer.from(store.recoveryKey).toString('hex')).toBe(KEY);
  expect(store.read({ name: 'alice', uid: 1000 })).toMatchObject({
    user: 'alice',
    uid: 1000,
    factors: [],
  });
  expect(store.read({ name: 'bob', uid: 1001 })).toMatchObject({ user: 'bob' });
  expect(JSON.parse(textOf(`${BACKUP}/store.json`))).toEqual({ schema: 0, recoveryKey: KEY });
  expect(JSON.parse(textOf(`${BACKUP}/enrolments/alice.json`))).toEqual({
    schema: 0,
    login: 'alice',
    uid: 1000,
  });
  expect(JSON.parse(textOf(`${BACKUP}/enrolments/bob.json`))).toEqual({ schema: 0, login: 'bob', uid: 1001 });
};

describe('a store of an earlier schema', () => {
  it('is copied, and then one of this schema; a second time there is nothing to do', () => {
    expect(upgradeStore(files, UPGRADES)).toEqual({ from: 0, records: 2, failed: [], backup: BACKUP });
    isWhole();
    expect(statSync(files.path(BACKUP)).mode & 0o777).toBe(0o700);
    expect(statSync(files.path(`${BACKUP}/enrolments/alice.json`)).mode & 0o777).toBe(0o600);
    expect(upgradeStore(files, UPGRADES)).toBeUndefined();
  });

  it('goes through all schemas between', () => {
    put('store.json', { schema: -1, recoveryKey: KEY });
    put('enrolments/alice.json', { schema: -1, name: 'alice', uid: 1000 });
    expect(upgradeStore(files, UPGRADES)).toMatchObject({ from: -1, records: 2, backup: 'schema--1.backup' });
    expect(JSON.parse(textOf('enrolments/alice.json'))).toEqual({
      schema: 1,
      user: 'alice',
      uid: 1000,
      factors: [],
    });
  });

  it('continues after any interruption', () => {
    for (const endsAt of [1, 2, 3, 4, 5, 6, 7, 8, 9]) {
      rmSync(directory, { recursive: true });
      mkdirSync(files.path('enrolments'), { recursive: true, mode: 0o700 });
      put('store.json', { schema: 0, recoveryKey: KEY });
      put('enrolments/alice.json', { schema: 0, login: 'alice', uid: 1000 });
      put('enrolments/bob.json', { schema: 0, login: 'bob', uid: 1001 });
      let calls = 0;
      const failing = {
        path: (name: string): string => {
          // Each file that is written goes through a name like this one.
          if (name.includes('.new') && ++calls === endsAt) {
            throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
          }
          return files.path(name);
        },
      };
      expect(() => upgradeStore(failing, UPGRADES), String(endsAt)).toThrow(/no space|made durable/);
      // Nothing is lost: each record is either the old or the new one.
      for (const name of ['alice', 'bob']) {
        expect([0, 1]).toContain(
          (JSON.parse(textOf(`enrolments/${name}.json`)) as { schema: number }).schema,
        );
      }
      expect(upgradeStore(files, UPGRADES), String(endsAt)).toMatchObject({ from: 0, records: 2 });
      isWhole();
    }
  });

  it('keeps a record that is damaged as it is, and says which', () => {
    put('enrolments/carol.json', '{"schema":0,"log');
    put('enrolments/dave.json', { schema: 0, login: 'dave', uid: 'none' });
    put('enrolments/erin.json', { schema: 7, login: 'erin', uid: 1 });
    expect(upgradeStore(files, UPGRADES)).toMatchObject({
      records: 2,
      failed: ['carol.json', 'dave.json', 'erin.json'],
    });
    expect(textOf('enrolments/carol.json')).toBe('{"schema":0,"log');
    expect(existsSync(files.path(`${BACKUP}/enrolments/carol.json`))).toBe(true);
    isWhole();
  });
});

describe('a store that cannot be upgraded', () => {
  it.each([2, 99, -2, 0.5])('because its schema is %d is left alone', (schema) => {
    put('store.json', { schema, recoveryKey: KEY });
    const before = readdirSync(directory);
    expect(() => upgradeStore(files, UPGRADES)).toThrow(StoreSchemaError);
    expect(readdirSync(directory)).toEqual(before);
  });

  it('leaves a missing store or schema for others to report', () => {
    for (const marker of ['', 'null', '[]', '{}', '{"schema":"0"}']) {
      put('store.json', marker);
      expect(upgradeStore(files, UPGRADES)).toBeUndefined();
    }
    rmSync(files.path('store.json'));
    expect(upgradeStore(files, UPGRADES)).toBeUndefined();
  });
});
