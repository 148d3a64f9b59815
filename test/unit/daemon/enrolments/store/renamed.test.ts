/* An account whose canonical name changes while the uid stays. */
import { renameSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { formatRecord, type StoredFactor } from '../../../../../src/daemon/enrolments/store/record.ts';
import { Store } from '../../../../../src/daemon/enrolments/store/store.ts';
import { storeSource } from '../../../../../src/daemon/enrolments/store/store-source.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { temporaryDirectories } from '../../../fixtures/temporary-directory.ts';

const directory = temporaryDirectories();
const FACTOR: StoredFactor = {
  kind: 'totp',
  id: 'abcd',
  name: 'phone',
  added: 0,
  secret: Buffer.alloc(20, 1),
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  window: 3,
};
const DAVE = { name: 'DaveSmith', uid: 1001 };
const RENAMED = { name: 'davesmith', uid: 1001 };

function opened(path = directory()): {
  path: string;
  store: Store;
  kindOf: (who: typeof DAVE) => Promise<string>;
} {
  const store = new Store({ path: (name) => `${path}/${name}` });
  if (!store.initialised) {
    store.initialise();
  }
  const source = storeSource(store, new InMemoryLedger(), () => 0);
  return { path, store, kindOf: async (who) => (await source.lookUp(who)).kind };
}

it('is refused, not "not enrolled", and both names are reported', async () => {
  const { store, kindOf } = opened();
  expect(await kindOf(RENAMED)).toBe('absent');
  store.write({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  expect(await kindOf(RENAMED)).toBe('blocked');
  const lookup = await storeSource(store, new InMemoryLedger(), () => 0).lookUp(RENAMED);
  expect(lookup).toMatchObject({
    why: expect.stringMatching(/davesmith .*DaveSmith .*1001.*rename-user DaveSmith davesmith$/),
  });
  expect(await kindOf(DAVE)).toBe('enrolled');
});

it('is refused after a restart, too', async () => {
  const { store, path } = opened();
  store.write({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  expect(await opened(path).kindOf(RENAMED)).toBe('blocked');
});

it('gets in with its own record, and is absent once the other one is removed', async () => {
  const { store, kindOf } = opened();
  store.write({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  store.write({ user: RENAMED.name, uid: RENAMED.uid, factors: [FACTOR] });
  expect(await kindOf(RENAMED)).toBe('enrolled');
  store.remove(RENAMED.name);
  expect(await kindOf(RENAMED)).toBe('blocked');
  store.remove(DAVE.name);
  expect(await kindOf(RENAMED)).toBe('absent');
});

it('is known from a copy that an administrator puts in place, and from a damaged record', async () => {
  const { store, path, kindOf } = opened();
  expect(await kindOf(RENAMED)).toBe('absent');
  const text = formatRecord({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  writeFileSync(`${path}/copy`, text.slice(0, text.length / 2));
  renameSync(`${path}/copy`, `${path}/enrolments/%44ave%53mith.json`);
  expect(await kindOf(RENAMED)).toBe('blocked');
  expect(store.users()).toContain(DAVE.name);
});

it('is known while records come and go, to the last one', async () => {
  const { store, kindOf } = opened();
  for (let person = 0; person < 20; person += 1) {
    const [old, now] = [`Old${person}`, `new${person}`].map((name) => ({ name, uid: 2_000 + person }));
    expect(await kindOf(now!)).toBe('absent');
    store.write({ user: old!.name, uid: old!.uid, factors: [FACTOR] });
    expect(await kindOf(now!)).toBe('blocked');
    store.remove(old!.name);
    expect(await kindOf(now!)).toBe('absent');
    store.write({ user: old!.name, uid: old!.uid, factors: [FACTOR] });
  }
  for (let person = 0; person < 20; person += 1) {
    expect(await kindOf({ name: `new${person}`, uid: 2_000 + person })).toBe('blocked');
  }
});

it('is known when the record takes another uid, and another record its place', async () => {
  const { store, kindOf } = opened();
  store.write({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  expect(await kindOf(RENAMED)).toBe('blocked');
  store.write({ user: DAVE.name, uid: 1002, factors: [FACTOR] });
  expect(await kindOf(RENAMED)).toBe('absent');
  expect(await kindOf({ name: 'davesmith', uid: 1002 })).toBe('blocked');
});

it('is somebody else with another uid', async () => {
  const { store, kindOf } = opened();
  store.write({ user: DAVE.name, uid: DAVE.uid, factors: [FACTOR] });
  expect(await kindOf({ name: 'davesmith', uid: 1002 })).toBe('absent');
});
