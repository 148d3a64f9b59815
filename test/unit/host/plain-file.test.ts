import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LARGEST_PLAIN_FILE, readPlainFile } from '../../../src/host/user-files.ts';

let dir: string;
beforeAll(() => {
  dir = realpathSync(mkdtempSync(`${tmpdir()}/plain-file-`));
  mkdirSync(`${dir}/priv`);
  writeFileSync(`${dir}/priv/file`, 'text');
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('readPlainFile', () => {
  it('reads a file', async () => {
    const read = await readPlainFile(`${dir}/priv/file`, LARGEST_PLAIN_FILE);
    expect(read).toMatchObject({ kind: 'read', symlink: false, file: { size: 4 } });
    expect(read.kind === 'read' && read.contents.toString()).toBe('text');
  });

  it('follows no symbolic link, neither of the file nor on the way to it', async () => {
    symlinkSync(`${dir}/priv/file`, `${dir}/link`);
    symlinkSync(`${dir}/priv`, `${dir}/way`);
    expect(await readPlainFile(`${dir}/link`, 10)).toMatchObject({ kind: 'failed', code: 'ELOOP' });
    expect(await readPlainFile(`${dir}/way/file`, 10)).toMatchObject({ kind: 'failed', code: 'ELOOP' });
  });

  it('says what is not there, not a file, or too long', async () => {
    expect(await readPlainFile(`${dir}/priv/none`, 10)).toMatchObject({ kind: 'missing' });
    expect(await readPlainFile(`${dir}/none/none`, 10)).toMatchObject({ kind: 'missing', directory: null });
    expect(await readPlainFile(`${dir}/priv`, 10)).toEqual({ kind: 'unfit', why: 'not-regular' });
    expect(await readPlainFile(`${dir}/priv/file`, 3)).toEqual({ kind: 'unfit', why: 'too-large' });
  });

  it.each([
    ['relative', 10],
    ['/file/', 10],
    ['/file', 0],
    ['/file', LARGEST_PLAIN_FILE + 1],
  ])('refuses %s with %i bytes', (path, maxBytes) => {
    expect(() => readPlainFile(path, maxBytes)).toThrow(RangeError);
  });
});
