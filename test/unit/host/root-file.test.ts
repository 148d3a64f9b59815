/* Only root can make a file that is root's: the rest says so. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { readRootFile } from '../../../src/host/root-file.ts';
import { isRoot, OTHER_UID } from '../fixtures/other-user.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const MAX_BYTES = 100;
const newDirectory = temporaryDirectories();
let path: string;

if (!isRoot) {
  console.log('NOT RUN: what counts as a file of root: only root can make one');
}

beforeEach(() => {
  path = `${newDirectory()}/mapping`;
  writeFileSync(path, 'alice:cccccckdvvul\n', { mode: 0o644 });
});

const whyNot = (): string => {
  const read = readRootFile(path, MAX_BYTES);
  return 'why' in read ? read.why : expect.unreachable('it was read');
};

it('a file that is not there is said to be so', () => {
  path += '.missing';
  expect(whyNot()).toBe('ENOENT');
});

describe.runIf(isRoot)('a file that only root could have written', () => {
  it('is read', () => {
    expect(readRootFile(path, MAX_BYTES)).toEqual({ text: 'alice:cccccckdvvul\n' });
  });

  it.each<[string, () => void, RegExp]>([
    ['belongs to somebody else', () => chownSync(path, OTHER_UID, 0), /belongs to uid 65534/],
    ['its group may write', () => chmodSync(path, 0o664), /written by others \(mode 0664\)/],
    ['everybody may write', () => chmodSync(path, 0o646), /written by others \(mode 0646\)/],
    ['is longer than allowed', () => writeFileSync(path, 'x'.repeat(MAX_BYTES + 1)), /larger than 100 bytes/],
  ])('is not one that %s', (_what, change, why) => {
    change();
    expect(whyNot()).toMatch(why);
  });

  it('is not a link, whoever owns its target', () => {
    symlinkSync(path, `${path}.link`);
    path += '.link';
    expect(whyNot()).toMatch(/symbolic link/);
  });

  it('is no directory, and no pipe that is waited for', () => {
    const file = path;
    mkdirSync(`${file}.d`);
    path = `${file}.d`;
    expect(whyNot()).toBe('it is not a regular file');
    execFileSync('mkfifo', ['-m', '644', `${file}.fifo`]);
    path = `${file}.fifo`;
    expect(whyNot()).toBe('it is not a regular file');
  });
});
