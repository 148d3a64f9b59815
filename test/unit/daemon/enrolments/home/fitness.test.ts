import { describe, expect, it } from 'vitest';
import type { ReadResult } from '../../../../../src/daemon/enrolments/home/file-access.ts';
import { troubleWith, unfitness } from '../../../../../src/daemon/enrolments/home/fitness.ts';
import { DEFAULT_LOOKUP } from '../../../../../src/config/lookup-options.ts';

const PATH = '/home/ana/.google_authenticator';
const ANA = { name: 'ana', uid: 1000, gid: 1000 };

function why(file: { mode?: number; uid?: number; text?: string }, change = {}): string | undefined {
  const read = {
    kind: 'read',
    contents: Buffer.from(file.text ?? 'SECRET\n'),
    file: {
      dev: '1',
      ino: '2',
      mode: file.mode ?? 0o600,
      uid: file.uid ?? 1000,
      gid: 1000,
      size: 7,
      mtimeNs: '0',
    },
    directory: { dev: '1', ino: '1', fileSystem: '1:2:3', encrypted: false },
    symlink: false,
  } as const;
  return unfitness(PATH, read, ANA, { ...DEFAULT_LOOKUP, ...change });
}

describe('unfitness', () => {
  it.each([0o400, 0o600, 0o200, 0])('likes mode %o', (mode) => {
    expect(why({ mode })).toBeUndefined();
  });

  it.each([0o640, 0o604, 0o700, 0o1600, 0o2600, 0o4600])('minds mode %o, and says so', (mode) => {
    expect(why({ mode })).toBe(
      `Secret file ${PATH} permissions (0${mode.toString(8)}) are more permissive than 0600`,
    );
    expect(why({ mode }, { allowedPermissions: 0o7777 })).toBeUndefined();
    expect(why({ mode }, { strictOwner: false })).toBeDefined();
  });

  it('minds the owner, unless pam.d does not', () => {
    expect(why({ uid: 0 })).toBe(`Secret file ${PATH} must be owned by ana`);
    expect(why({ uid: 0 }, { strictOwner: false })).toBeUndefined();
  });

  it('minds a NUL', () => {
    expect(why({ text: 'SECRET\n\0' })).toBe(`Invalid file contents in ${PATH}`);
  });
});

describe('troubleWith', () => {
  it.each<[Exclude<ReadResult, { kind: 'read' }>, RegExp | undefined]>([
    [{ kind: 'unfit', why: 'not-regular' }, /not a regular file$/],
    [{ kind: 'unfit', why: 'empty' }, /^Invalid file size/],
    [{ kind: 'unfit', why: 'too-large' }, /^Invalid file size/],
    [{ kind: 'failed', step: 'open', code: 'EACCES' }, /^Failed to read .*: EACCES$/],
    [{ kind: 'failed', step: 'directory', code: 'ENOTDIR' }, /ENOTDIR$/],
    // These failures are not caused by the file, whose contents are unknown.
    [{ kind: 'failed', step: 'identity', code: 'EPERM' }, undefined],
    [{ kind: 'failed', step: 'memory', code: 'ENOMEM' }, undefined],
    [{ kind: 'hung' }, undefined],
    [{ kind: 'busy' }, undefined],
    [{ kind: 'no-reader', code: 'ENOENT' }, undefined],
    [{ kind: 'no-answer', why: 'ended' }, undefined],
  ])('of %j', (trouble, expected) => {
    const said = troubleWith(PATH, trouble);
    expect(expected === undefined ? said === undefined : expected.test(said ?? '')).toBe(true);
  });
});
