import { expect, it } from 'vitest';
import { forgetPlaces } from '../../../../src/daemon/control/home-requests.ts';
import { FileDirectories } from '../../../../src/daemon/enrolments/home/file-directories.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';
import { RecordedLog } from '../../fixtures/recorded-log.ts';

const FILE = '/home/ana/.google_authenticator';
const now = (): number => 1_700_000_000_000;

it('forgets where a file was, and says so in the log', async () => {
  const [ledger, log] = [new InMemoryLedger(), new RecordedLog()];
  const places = new FileDirectories(ledger, now);
  await places.note({ user: 'ana', uid: 1_000 }, FILE, {
    dev: '1',
    ino: '2',
    fileSystem: '3:4:5',
    encrypted: false,
  });
  expect(places.isGone('ana', FILE, null)).toBe(false);
  expect(await forgetPlaces({ ledger, log, now }, 'ana')).toEqual({ user: 'ana' });
  expect(places.isGone('ana', FILE, null)).toBe(true);
  expect(log.text).toContain('secret file of ana');
});

it('says when that cannot be recorded', async () => {
  const [ledger, log] = [new InMemoryLedger(), new RecordedLog()];
  ledger.answer = 'unavailable';
  await expect(forgetPlaces({ ledger, log, now }, 'ana')).rejects.toMatchObject({ code: 'ERR_STORE' });
  expect(log.text).toBe('');
});
