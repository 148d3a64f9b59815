import { beforeEach, describe, expect, it } from 'vitest';
import { Places } from '../../../../src/enrolments/home/places.ts';
import type { DirectoryId } from '../../../../src/host/user-files.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';

const HOME: DirectoryId = { dev: '45', ino: '1234', fileSystem: '61267:1:2', encrypted: false };
const MOUNT_POINT: DirectoryId = { ...HOME, dev: '8', ino: '77', fileSystem: '61267:8:9' };
const FILE = '/home/ana/.google_authenticator';

let ledger: InMemoryLedger;
let now: number;
let places: Places;
beforeEach(() => {
  ledger = new InMemoryLedger();
  now = 1_700_000_000_000;
  places = new Places(ledger, () => now);
});

describe('a file that is missing', () => {
  it('is gone when nobody ever saw it', () => {
    expect(places.isGone('ana', FILE, HOME)).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
  });

  it('is gone from the directory that held it, also when the device has another number since a reboot', async () => {
    await places.note('ana', FILE, HOME);
    expect(places.isGone('ana', FILE, { ...HOME, dev: '50' })).toBe(true);
  });

  it.each([
    ['without the directory', null],
    ['under the mount point', MOUNT_POINT],
    ['on another file system', { ...HOME, fileSystem: '61267:1:3' }],
    ['in another directory', { ...HOME, ino: '1235' }],
    ['where names are encrypted', { ...HOME, encrypted: true }],
  ])('is not gone %s', async (_, directory) => {
    await places.note('ana', FILE, HOME);
    expect(places.isGone('ana', FILE, directory)).toBe(false);
    expect(places.isGone('ben', FILE, directory)).toBe(true);
    expect(places.isGone('ana', '/etc/other', directory)).toBe(true);
  });

  it('is gone only from where it was last', async () => {
    await places.note('ana', FILE, HOME);
    await places.note('ana', FILE, MOUNT_POINT);
    expect(places.isGone('ana', FILE, HOME)).toBe(false);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(true);
    await places.note('ana', FILE, HOME);
    expect(places.isGone('ana', FILE, HOME)).toBe(true);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(false);
  });

  it('is gone once it is forgotten, and known again when it is seen again, whatever the clock says', async () => {
    await places.note('ana', FILE, HOME);
    now -= 1_000_000;
    expect(await places.forget('ana')).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
    await places.note('ana', FILE, MOUNT_POINT);
    expect(places.isGone('ana', FILE, null)).toBe(false);
    expect(places.isGone('ana', FILE, MOUNT_POINT)).toBe(true);
    expect(await places.forget('ana')).toBe(true);
    expect(places.isGone('ana', FILE, null)).toBe(true);
  });
});

it('is written down once, not at every login', async () => {
  await places.note('ana', FILE, HOME);
  const written = ledger.advances.length;
  now += 5_000;
  await places.note('ana', FILE, HOME);
  expect(ledger.advances.length).toBe(written);
});
