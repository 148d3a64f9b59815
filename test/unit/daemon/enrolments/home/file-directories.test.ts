import { beforeEach, describe, expect, it } from 'vitest';
import { FileDirectories } from '../../../../../src/daemon/enrolments/home/file-directories.ts';
import type { DirectoryId } from '../../../../../src/host/user-files.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';

const HOME: DirectoryId = { dev: '45', ino: '1234', fileSystem: '61267:1:2', encrypted: false };
const MOUNT_POINT: DirectoryId = { ...HOME, dev: '8', ino: '77', fileSystem: '61267:8:9' };
const FILE = '/home/ana/.google_authenticator';

const ANA = { user: 'ana', uid: 1000 };
let ledger: InMemoryLedger;
let now: number;
let places: FileDirectories;
beforeEach(() => {
  ledger = new InMemoryLedger();
  now = 1_700_000_000_000;
  places = new FileDirectories(ledger, () => now);
});

describe('a file that is missing', () => {
  it('is gone when nobody ever saw it', () => {
    expect(places.isGone('ana', FILE, HOME)).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
  });

  it('counts as deleted in its last directory, even with a new device number after a reboot', async () => {
    await places.note(ANA, FILE, HOME);
    expect(places.isGone('ana', FILE, { ...HOME, dev: '50' })).toBe(true);
  });

  it.each([
    ['without the directory', null],
    ['under the mount point', MOUNT_POINT],
    ['on another file system', { ...HOME, fileSystem: '61267:1:3' }],
    ['in another directory', { ...HOME, ino: '1235' }],
    ['where names are encrypted', { ...HOME, encrypted: true }],
  ])('is not gone %s', async (_, directory) => {
    await places.note(ANA, FILE, HOME);
    expect(places.isGone('ana', FILE, directory)).toBe(false);
    expect(places.isGone('ben', FILE, directory)).toBe(true);
    expect(places.isGone('ana', '/etc/other', directory)).toBe(true);
  });

  it('counts as deleted only in its last place', async () => {
    await places.note(ANA, FILE, HOME);
    now += 60_000;
    await places.note(ANA, FILE, MOUNT_POINT);
    expect(places.isGone('ana', FILE, HOME)).toBe(false);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(true);
    now += 60_000;
    await places.note(ANA, FILE, HOME);
    expect(places.isGone('ana', FILE, HOME)).toBe(true);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(false);
  });

  it('counts as deleted after "forget", and is known again once seen, whatever the clock says', async () => {
    await places.note(ANA, FILE, HOME);
    now -= 1_000_000;
    expect(await places.forget('ana')).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
    await places.note(ANA, FILE, MOUNT_POINT);
    expect(places.isGone('ana', FILE, null)).toBe(false);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(true);
    expect(await places.forget('ana')).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
  });
});

it('is written down once, not at every login', async () => {
  await places.note(ANA, FILE, HOME);
  const written = ledger.advances.length;
  now += 5_000;
  await places.note(ANA, FILE, HOME);
  expect(ledger.advances.length).toBe(written);
});

it('adds no key for a directory that is another one at every login', async () => {
  await places.note(ANA, FILE, HOME);
  const keys = ledger.marks.size;
  for (let login = 0; login < 100; login++) {
    now += 60_000;
    const directory = { ...HOME, ino: String(login) };
    await places.note(ANA, FILE, directory);
    expect(places.isGone('ana', FILE, directory)).toBe(true);
  }
  expect(ledger.marks.size).toBe(keys);
});

it('writes at most once a minute for a changing place, and trusts only the known one', async () => {
  await places.note(ANA, FILE, HOME);
  const written = ledger.advances.length;
  for (let login = 0; login < 100; login++) {
    await places.note(ANA, FILE, { ...HOME, ino: String(login) });
  }
  expect(ledger.advances.length).toBe(written);
  expect(places.isGone('ana', FILE, { ...HOME, ino: '99' })).toBe(false);
  expect(places.isGone('ana', FILE, HOME)).toBe(true);
});

it('knows no place that a crash left half written', async () => {
  await places.note(ANA, FILE, HOME);
  now += 60_000;
  await places.note(ANA, FILE, MOUNT_POINT);
  const half = ledger.advances.at(-2)!;
  ledger.marks.delete(half.key);
  expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(false);
  await places.note(ANA, FILE, MOUNT_POINT);
  expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(true);
});
