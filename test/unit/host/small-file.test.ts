import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { isSmallFileStill, readSmallFile, type FileIdentity } from '../../../src/host/small-file.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const MAX = 1_000;

let path: string;
let identity: FileIdentity;

beforeEach(() => {
  path = `${makeDirectory()}/file`;
  writeFileSync(path, 'contents');
  identity = readSmallFile(path, MAX)!.identity;
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('readSmallFile', () => {
  it('reads all bytes as Node reads UTF-8, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MAX }), (bytes) => {
        writeFileSync(path, bytes);
        expect(readSmallFile(path, MAX)?.text).toBe(Buffer.from(bytes).toString('utf8'));
      }),
    );
  });

  it('keeps nothing of a longer file for a shorter one', () => {
    writeFileSync(path, 'x'.repeat(MAX));
    readSmallFile(path, MAX);
    writeFileSync(path, 'y');
    expect(readSmallFile(path, MAX)?.text).toBe('y');
    expect(readSmallFile(path, 10 * MAX)?.text).toBe('y');
  });

  it('reads as many bytes as are allowed, and no file with one more', () => {
    expect(readSmallFile(path, 8)?.text).toBe('contents');
    expect(readSmallFile(path, 7)).toBeUndefined();
    truncateSync(path, 2 ** 33);
    expect(readSmallFile(path, MAX)).toBeUndefined();
  });

  it('reads no directory, and does not wait for the other end of a pipe', () => {
    rmSync(path);
    mkdirSync(path);
    expect(readSmallFile(path, MAX)).toBeUndefined();
    execFileSync('mkfifo', [`${path}/pipe`]);
    expect(readSmallFile(`${path}/pipe`, MAX)).toBeUndefined();
  });

  it('says what the system says', () => {
    symlinkSync(path, `${path}-link`);
    expect(() => readSmallFile(`${path}-link`, MAX)).toThrow(
      expect.objectContaining({ code: 'ELOOP', syscall: 'open' }),
    );
    expect(() => readSmallFile(`${path}-none`, MAX)).toThrow(
      expect.objectContaining({ code: 'ENOENT', syscall: 'open' }),
    );
  });

  it('leaves no descriptor open, however it ends', () => {
    const before = descriptors();
    for (let time = 0; time < 50; time++) {
      readSmallFile(path, MAX);
      readSmallFile(path, 1);
      expect(() => readSmallFile(`${path}-none`, MAX)).toThrow();
    }
    expect(descriptors()).toBe(before);
  });

  it.each(['', 'a\0b'])('refuses the path %j', (wrong) => {
    expect(() => readSmallFile(wrong, MAX)).toThrow(RangeError);
  });
});

describe('isSmallFileStill', () => {
  it('knows the file that was read', () => {
    expect(isSmallFileStill(path, identity)).toBe(true);
  });

  it.each<[string, () => void]>([
    ['one that was written into', () => appendFileSync(path, 'x')],
    [
      'one that was written into, with its time put back',
      () => {
        writeFileSync(path, 'CONTENTS');
        utimesSync(path, 0, 0);
      },
    ],
    [
      'one that took its name',
      () => {
        writeFileSync(`${path}-new`, 'contents');
        renameSync(`${path}-new`, path);
      },
    ],
    [
      'a link to the very file',
      () => {
        renameSync(path, `${path}-old`);
        symlinkSync(`${path}-old`, path);
      },
    ],
    ['nothing', () => rmSync(path)],
  ])('takes it for another when there is %s', (_, change) => {
    change();
    expect(isSmallFileStill(path, identity)).toBe(false);
  });

  it('recognises no invalid identity', () => {
    expect(isSmallFileStill(path, Buffer.alloc(3))).toBe(false);
    expect(isSmallFileStill(path, Buffer.alloc(56))).toBe(false);
  });
});
