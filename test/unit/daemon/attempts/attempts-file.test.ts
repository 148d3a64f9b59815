import {
  chmodSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CountedAttempts } from '../../../../src/daemon/attempts/attempts.ts';
import { openAttempts } from '../../../../src/daemon/attempts/attempts-file.ts';
import { TABLE_BYTES } from '../../../../src/daemon/attempts/attempt-table.ts';
import { DEFAULT_LIMITS } from '../../../../src/daemon/attempts/limits.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const HEADER_BYTES = 4_096;

let path: string;
let now: number;
let lost: string[];

beforeEach(() => {
  path = join(makeDirectory(), 'attempts');
  now = 1_000_000;
  lost = [];
});

/** Opens the counts like the next process after a crash: the earlier one closed nothing. */
function nextProcess(): CountedAttempts {
  const table = openAttempts(path, () => now, DEFAULT_LIMITS.longestLock, { lost: (why) => lost.push(why) });
  return new CountedAttempts(DEFAULT_LIMITS, { knows: () => false, note: () => undefined }, () => now, table);
}

function guess(attempts: CountedAttempts, user = 'alice', origin = 'a'): boolean {
  const attempt = attempts.begin({ user, exists: true, origin });
  if (!attempt.admit()) {
    return false;
  }
  attempt.failed();
  return true;
}

describe('counts in a file', () => {
  it('outlive the process, however often it dies, and between the count and the answer', () => {
    expect(guess(nextProcess())).toBe(true);
    expect(guess(nextProcess())).toBe(true);
    // It dies while the code is checked.
    expect(nextProcess().begin({ user: 'alice', exists: true, origin: 'a' }).admit()).toBe(true);
    expect(guess(nextProcess())).toBe(false);
    expect(guess(nextProcess(), 'bob')).toBe(true);
    now += 30_000;
    expect(guess(nextProcess())).toBe(true);
    expect(lost).toEqual([]);
  });

  it('keep a lock, and forget it where it is opened', () => {
    for (let failure = 0; failure < DEFAULT_LIMITS.lockAfter; failure++) {
      now += 30_000;
      expect(guess(nextProcess())).toBe(true);
    }
    expect(nextProcess().lockOf('alice')).toBe(DEFAULT_LIMITS.firstLock);
    nextProcess().unlock('alice');
    expect(nextProcess().lockOf('alice')).toBe(0);
    expect(guess(nextProcess())).toBe(true);
  });

  it('are private to their owner, contain no names, and have a bounded size', () => {
    const attempts = nextProcess();
    for (let user = 0; user < 3_000; user++) {
      guess(attempts, `alice-${user}`, 'rhost 192.0.2.1');
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBe(HEADER_BYTES + TABLE_BYTES);
    const text = readFileSync(path, 'latin1');
    expect(text).not.toContain('alice');
    expect(text).not.toContain('192.0.2');
  });

  it('throttle nobody for longer when the clock starts again', () => {
    for (let failure = 0; failure < 40; failure++) {
      now += 900_000;
      guess(nextProcess());
    }
    now = 0;
    expect(nextProcess().lockOf('alice')).toBeLessThanOrEqual(DEFAULT_LIMITS.longestLock);
    now = DEFAULT_LIMITS.longestLock + 30_000;
    expect(guess(nextProcess())).toBe(true);
  });
});

describe('an invalid file', () => {
  const spoil: readonly (readonly [string, () => void])[] = [
    ['is empty', () => writeFileSync(path, '')],
    ['says something else', () => writeFileSync(path, Buffer.alloc(HEADER_BYTES + TABLE_BYTES, 'x'))],
    [
      'is short',
      () => {
        const fd = openSync(path, 'r+');
        ftruncateSync(fd, HEADER_BYTES + 1_000);
        closeSync(fd);
      },
    ],
    ['can be written by others', () => chmodSync(path, 0o666)],
  ];
  it.each(spoil)('because it %s makes room for a new one', (_what, act) => {
    nextProcess();
    act();
    expect(guess(nextProcess())).toBe(true);
    expect([1, 2, 3].map(() => guess(nextProcess()))).toEqual([true, true, false]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(lost).toEqual([]);
  });

  it('is never opened through a link', () => {
    const other = `${path}-other`;
    writeFileSync(other, 'precious');
    symlinkSync(other, path);
    guess(nextProcess());
    expect(readFileSync(other, 'utf8')).toBe('precious');
  });

  it('loses only the counts that are torn', () => {
    const attempts = nextProcess();
    [1, 2, 3].forEach(() => guess(attempts));
    [1, 2, 3].forEach(() => guess(attempts, 'bob'));
    const bytes = readFileSync(path);
    const places = [];
    for (let at = HEADER_BYTES; at < bytes.length; at += 128) {
      if (bytes.readUInt32LE(at + 16) !== 0) {
        places.push(at);
      }
    }
    expect(places).toHaveLength(4);
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.from([0xff, 0xff, 0xff]), 0, 3, places[0]! + 60);
    writeSync(fd, Buffer.from([0xff, 0xff, 0xff]), 0, 3, places[1]! + 60);
    closeSync(fd);
    const next = nextProcess();
    expect(['alice', 'bob'].filter((user) => guess(next, user))).toHaveLength(1);
  });

  it('is replaced by memory if it cannot be made, with a log line', () => {
    path = join(path, 'no', 'such', 'directory');
    const attempts = nextProcess();
    expect([1, 2, 3, 4].map(() => guess(attempts))).toEqual([true, true, true, false]);
    expect(lost).toEqual(['ENOENT']);
  });
});
