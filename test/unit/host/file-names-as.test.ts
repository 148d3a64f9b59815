/*
 * Against the real kernel, as real users; the addon must be built. Only root can act as another user; other users test with their
 * own files.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createFileAs, LARGEST_FILE, setFileAsideAs, type FileUser } from '../../../src/host/user-files.ts';
import { isRoot, NOBODY } from '../fixtures/other-user.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
/** An account of every Debian; not root: there is only one. */
const USER: FileUser = isRoot ? NOBODY : { user: 'me', uid: process.getuid!(), gid: process.getgid!() };
const CONTENTS = 'S3CRET\n';

let home: string;
let file: string;

beforeEach(() => {
  home = makeDirectory();
  chownSync(home, USER.uid, USER.gid);
  file = join(home, 'secret');
});

function put(name: string, contents = CONTENTS): void {
  writeFileSync(join(home, name), contents, { mode: 0o400 });
  chownSync(join(home, name), USER.uid, USER.gid);
}

const files = (): Record<string, string> =>
  Object.fromEntries(readdirSync(home).map((name) => [name, readFileSync(join(home, name), 'utf8')]));
const create = (contents = CONTENTS, path = file): ReturnType<typeof createFileAs> =>
  createFileAs(USER, path, Buffer.from(contents));
const setAside = (expected = CONTENTS, name = 'secret.old'): ReturnType<typeof setFileAsideAs> =>
  setFileAsideAs(USER, file, Buffer.from(expected), name);

describe('createFileAs', () => {
  it('makes a file that is its user’s alone', async () => {
    expect(await create()).toEqual({ kind: 'created' });
    expect(files()).toEqual({ secret: CONTENTS });
    expect(statSync(file)).toMatchObject({ mode: 0o100400, uid: USER.uid, gid: USER.gid });
  });

  it('replaces nothing', async () => {
    put('secret', 'older\n');
    expect(await create()).toEqual({ kind: 'exists' });
    expect(files()).toEqual({ secret: 'older\n' });
  });

  it('replaces no link either, and does not write through it', async () => {
    symlinkSync('elsewhere', file);
    expect(await create()).toEqual({ kind: 'exists' });
    expect(readdirSync(home)).toEqual(['secret']);
  });

  it('says where there is no directory', async () => {
    expect(await create(CONTENTS, join(home, 'none', 'secret'))).toEqual({
      kind: 'missing',
      directory: null,
      symlink: false,
    });
  });

  it.runIf(isRoot)('makes nothing where its user may not', async () => {
    chownSync(home, 0, 0);
    chmodSync(home, 0o755);
    expect(await create()).toEqual({ kind: 'failed', step: 'create', code: 'EACCES' });
    expect(files()).toEqual({});
  });

  it('refuses what cannot work', () => {
    expect(() => createFileAs(USER, 'secret', Buffer.from('x'))).toThrow(RangeError);
    expect(() => createFileAs(USER, file, Buffer.alloc(0))).toThrow(RangeError);
    expect(() => createFileAs(USER, file, Buffer.alloc(LARGEST_FILE + 1))).toThrow(RangeError);
  });
});

describe('setFileAsideAs', () => {
  it('gives the file another name', async () => {
    put('secret');
    const { ino } = statSync(file);
    expect(await setAside()).toEqual({ kind: 'set-aside' });
    expect(files()).toEqual({ 'secret.old': CONTENTS });
    expect(statSync(join(home, 'secret.old'))).toMatchObject({ ino, mode: 0o100400, uid: USER.uid });
  });

  it('takes no name that is taken', async () => {
    put('secret');
    put('secret.old', 'older\n');
    expect(await setAside()).toEqual({ kind: 'exists' });
    expect(files()).toEqual({ secret: CONTENTS, 'secret.old': 'older\n' });
  });

  it('leaves a file that holds something else', async () => {
    put('secret', 'S3CRET\n" TOTP_AUTH\n');
    expect(await setAside()).toEqual({ kind: 'changed' });
    expect(Object.keys(files())).toEqual(['secret']);
  });

  it('renames a link, not its target', async () => {
    put('target');
    symlinkSync('target', file);
    expect(await setAside()).toEqual({ kind: 'set-aside' });
    expect(lstatSync(join(home, 'secret.old')).isSymbolicLink()).toBe(true);
    expect(readdirSync(home).sort()).toEqual(['secret.old', 'target']);
  });

  it.each([
    ['nothing is there', () => undefined, { kind: 'missing' }],
    ['it is a directory', () => mkdirSync(file), { kind: 'unfit', why: 'not-regular' }],
  ])('says when %s', async (_what, prepare, result) => {
    prepare();
    expect(await setAside()).toMatchObject(result);
  });

  it('refuses a name that leads elsewhere', () => {
    expect(() => setFileAsideAs(USER, file, Buffer.from('x'), '../x')).toThrow(RangeError);
  });
});
