/* Against the real kernel, as real users; the addon must be built. Tests of root's actions run only as root. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { beforeEach, describe, expect, it } from 'vitest';
import { LARGEST_FILE, readFileAs, replaceFileAs, type FileUser } from '../../../src/host/user-files.ts';
import { DAEMON, isRoot, NOBODY } from '../fixtures/other-user.ts';
import { temporaryDirectories } from '../fixtures/temporary-directory.ts';

const makeDirectory = temporaryDirectories();
const ADDON = join(import.meta.dirname, '../../../native/addon/build/Release/pve_authenticator.node');
const ME: FileUser = { user: 'me', uid: process.getuid!(), gid: process.getgid!() };
/** Accounts of every Debian; not root: there is only one. */
const USER: FileUser = isRoot ? NOBODY : ME;
const OTHER: FileUser = DAEMON;
const FOR_ALL = 0o644;
if (!isRoot) {
  console.log('file-as: not root, so acting as another user is skipped');
}

let home: string;
let file: string;

beforeEach(() => {
  home = makeDirectory();
  chownSync(home, USER.uid, USER.gid);
  file = put('secret', 'S3CRET\n');
});

/** Accounts of this machine, without root. */
function accounts(count: number): FileUser[] {
  const rows = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  return rows
    .map(([user = '', , uid, gid]) => ({ user, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid }) => uid > 0)
    .slice(0, count);
}

function put(name: string, contents: string | Buffer, mode = 0o600, owner = USER): string {
  const path = join(home, name);
  writeFileSync(path, contents, { mode });
  chmodSync(path, mode);
  chownSync(path, owner.uid, owner.gid);
  return path;
}

/**
 * Reads a file as several users in a process of its own. Our own process must not change its identity while other threads have
 * other identities: glibc then aborts the process.
 */
function inChild(command: readonly string[], path: string, ids: readonly (readonly number[])[]): string {
  const script = `const { readFileAs } = require(process.argv[1]);
    (async () => {
      for (const [uid, gid] of JSON.parse(process.argv[3])) {
        const { kind, step } = await readFileAs('nobody', uid, gid, process.argv[2], 9);
        console.log([kind, step].join(' ').trim());
      }
    })();`;
  const copy = join(home, 'addon.node');
  writeFileSync(copy, readFileSync(ADDON), { mode: 0o755 });
  return execFileSync(command[0]!, [...command.slice(1), '-e', script, copy, path, JSON.stringify(ids)], {
    cwd: '/',
    encoding: 'utf8',
  });
}

const idOf = (path: string): object => {
  const { dev, ino } = statSync(path, { bigint: true });
  return { dev: String(dev), ino: String(ino) };
};
const read = (path = file, who = USER, maxBytes = LARGEST_FILE): ReturnType<typeof readFileAs> =>
  readFileAs(who, path, maxBytes);
const replace = (from: string, to: string | Buffer, who = USER): ReturnType<typeof replaceFileAs> =>
  replaceFileAs(who, file, Buffer.from(from), Buffer.from(to));
const failed = (step: string, code: string): object => ({ kind: 'failed', step, code });
const unfit = (why: string): object => ({ kind: 'unfit', why });

/** The facts about a directory; the first number of its file system is the type, which Node also reports. */
const directoryOf = (path: string): unknown => ({
  ...idOf(path),
  fileSystem: expect.stringMatching(new RegExp(`^${statfsSync(path).type}:\\d+:\\d+$`)) as string,
  encrypted: false,
});

describe('readFileAs', () => {
  it('gives contents, state and directory', async () => {
    const { mtimeNs } = statSync(file, { bigint: true });
    expect(await read()).toEqual({
      kind: 'read',
      contents: Buffer.from('S3CRET\n'),
      file: { ...idOf(file), mode: 0o600, uid: USER.uid, gid: USER.gid, size: 7, mtimeNs: String(mtimeNs) },
      directory: directoryOf(home),
      symlink: false,
    });
  });

  it('keeps NUL bytes, and every byte there is', async () => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, i) => i % 256));
    expect(await read(put('bytes', bytes))).toMatchObject({ contents: bytes });
  });

  it('has bounds: empty, one byte, the bound, one more', async () => {
    expect(await read(put('empty', ''))).toEqual(unfit('empty'));
    expect(await read(put('one', 'x'), USER, 1)).toMatchObject({ contents: Buffer.from('x') });
    expect(await read(put('two', 'xx'), USER, 1)).toEqual(unfit('too-large'));
    expect(await read(put('largest', Buffer.alloc(65_536, 7)))).toMatchObject({ file: { size: 65_536 } });
    expect(await read(put('larger', Buffer.alloc(65_537, 7)))).toEqual(unfit('too-large'));
  });

  it('tells a file that is missing from a directory that is, and a link that leads nowhere', async () => {
    const missing = { kind: 'missing', directory: directoryOf(home), symlink: false };
    expect(await read(join(home, 'none'))).toEqual(missing);
    symlinkSync('nowhere', join(home, 'link'));
    expect(await read(join(home, 'link'))).toEqual({ ...missing, symlink: true });
    expect(await read(join(home, 'none/none'))).toEqual({ ...missing, directory: null });
    expect(await read(join(file, 'none'))).toEqual(failed('directory', 'ENOTDIR'));
  });

  it('follows links to files, and says so; the directory is that of the name', async () => {
    mkdirSync(join(home, 'there'));
    symlinkSync('../secret', join(home, 'there/link'));
    expect(await read(join(home, 'there/link'))).toMatchObject({
      kind: 'read',
      symlink: true,
      directory: idOf(join(home, 'there')),
      file: idOf(file),
    });
    symlinkSync('loop', join(home, 'loop'));
    expect(await read(join(home, 'loop'))).toEqual(failed('open', 'ELOOP'));
  });

  it('opens nothing but regular files, and hangs at none', async () => {
    execFileSync('mkfifo', ['-m', '666', join(home, 'fifo')]);
    for (const path of [join(home, 'fifo'), '/dev/zero', '/dev/tty', `${home}/.`]) {
      expect(await read(path)).toEqual(unfit('not-regular'));
    }
    symlinkSync('/dev/zero', join(home, 'zero'));
    expect(await read(join(home, 'zero'))).toEqual(unfit('not-regular'));
  });

  it('does not even wake somebody who waits at a FIFO', async () => {
    const fifo = join(home, 'fifo');
    execFileSync('mkfifo', ['-m', '666', fifo]);
    const writer = spawn('sh', ['-c', `echo woken >${fifo}; echo woken >${home}/woken`]);
    await read(fifo);
    await read();
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    expect(existsSync(`${home}/woken`)).toBe(false);
  });

  it('does not follow the links of /proc, which lead past permissions', async () => {
    symlinkSync(`/proc/self/fd/0`, join(home, 'fd'));
    expect(await read(join(home, 'fd'))).toEqual(failed('open', 'ELOOP'));
    expect(await read(`/proc/self/cwd/package.json`)).toEqual(failed('directory', 'ELOOP'));
  });

  it('serves many at once, each on a thread that ends', async () => {
    const threads = (): number => readdirSync('/proc/self/task').length;
    const before = threads();
    const results = await Promise.all(Array.from({ length: 100 }, () => read()));
    expect(results.every(({ kind }) => kind === 'read')).toBe(true);
    await expect.poll(threads).toBeLessThanOrEqual(before);
  });

  it('lets a worker thread end while reads are under way', async () => {
    const script = `const { readFileAs } = require(${JSON.stringify(ADDON)});
      for (let n = 0; n < 100; n++) readFileAs(${JSON.stringify(USER.user)}, ${USER.uid}, ${USER.gid}, ${JSON.stringify(file)}, 100);
      setTimeout(() => process.exit(), Math.random() * 4);`;
    for (let i = 0; i < 20; i++) {
      await once(new Worker(script, { eval: true, execArgv: [] }), 'exit');
    }
    expect((await read()).kind).toBe('read');
  });

  it.each([
    [TypeError, () => readFileAs({ ...USER, user: 0 as never }, file, 1)],
    [RangeError, () => readFileAs({ ...USER, user: '' }, file, 1)],
    [RangeError, () => readFileAs({ ...USER, uid: -1 }, file, 1)],
    [RangeError, () => readFileAs({ ...USER, gid: 0xffff_ffff }, file, 1)],
    [RangeError, () => readFileAs(USER, 'relative', 1)],
    [RangeError, () => readFileAs(USER, '/ends/', 1)],
    [RangeError, () => readFileAs(USER, `${file}\0`, 1)],
    [RangeError, () => readFileAs(USER, `/${'x'.repeat(4095)}`, 1)],
    [RangeError, () => readFileAs(USER, file, 0)],
    [RangeError, () => readFileAs(USER, file, 65_537)],
    [TypeError, () => replaceFileAs(USER, file, 'x' as never, Buffer.from('x'))],
    [RangeError, () => replaceFileAs(USER, file, Buffer.alloc(0), Buffer.from('x'))],
    [RangeError, () => replaceFileAs(USER, file, Buffer.from('x'), Buffer.alloc(65_537))],
  ])('refuses an argument with %o', (kind, call) => {
    expect(call).toThrow(kind);
  });
});

describe('replaceFileAs', () => {
  it('puts a new file of mode 0400 in the place of the old one', async () => {
    const before = statSync(file);
    const result = await replace('S3CRET\n', 'NEXT\0\n');
    expect(result).toMatchObject({
      kind: 'replaced',
      file: { ...idOf(file), mode: 0o400, uid: USER.uid, gid: USER.gid, size: 6 },
      directory: idOf(home),
    });
    expect(readFileSync(file, 'latin1')).toBe('NEXT\0\n');
    expect(statSync(file).ino).not.toBe(before.ino);
    expect(readdirSync(home)).toEqual(['secret']);
  });

  it('writes nothing when the file holds something else', async () => {
    const { ino, ctimeNs } = statSync(file, { bigint: true });
    for (const expected of ['S3CRET', 'S3CRET\n\n', 's3CRET\n']) {
      expect(await replace(expected, 'NEXT')).toEqual({ kind: 'changed' });
    }
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, ctimeNs });
    expect(readdirSync(home)).toEqual(['secret']);
  });

  it('replaces a link, not its target', async () => {
    const target = put('target', 'S3CRET\n');
    file = join(home, 'link');
    symlinkSync('target', file);
    expect((await replace('S3CRET\n', 'NEXT')).kind).toBe('replaced');
    expect(readFileSync(target, 'utf8')).toBe('S3CRET\n');
    expect(readFileSync(file, 'utf8')).toBe('NEXT');
    expect(await read()).toMatchObject({ symlink: false });
  });

  it('lets one of many win, each round', async () => {
    for (let round = 0; round < 20; round++) {
      const before = readFileSync(file, 'utf8');
      const results = await Promise.all(
        Array.from({ length: 32 }, (_, i) => replace(before, `round ${round} winner ${i} of this one`)),
      );
      const winners = results.flatMap(({ kind }, i) => (kind === 'replaced' ? [i] : []));
      expect(winners).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'changed')).toHaveLength(31);
      expect(readFileSync(file, 'utf8')).toBe(`round ${round} winner ${winners[0]!} of this one`);
    }
    expect(readdirSync(home)).toEqual(['secret']);
  });

  it('fails where the user may not write, and leaves nothing', async () => {
    chmodSync(home, 0o500);
    if (isRoot) {
      expect(await replace('S3CRET\n', 'NEXT')).toEqual(failed('create', 'EACCES'));
    }
    chmodSync(home, 0o755);
    expect(readdirSync(home)).toEqual(['secret']);
  });

  it('works in a directory that the user may search and write, but not list', async () => {
    chmodSync(home, 0o300);
    expect((await replace('S3CRET\n', 'NEXT')).kind).toBe('replaced');
    chmodSync(home, 0o755);
    expect(readdirSync(home)).toEqual(['secret']);
  });
});

describe.runIf(isRoot)('as another user', () => {
  it('may what that user may, and not more', async () => {
    expect(await read(file, OTHER)).toEqual(failed('open', 'EACCES'));
    expect(await read(put('roots', 'x', 0o600, ME))).toEqual(failed('open', 'EACCES'));
    expect(await read(put('roots-group', 'x', 0o660, ME))).toEqual(failed('open', 'EACCES'));
    expect(await read(put('group', 'x', 0o640, { ...OTHER, gid: USER.gid }))).toMatchObject({ kind: 'read' });
    expect(await read(put('open', 'x', FOR_ALL, ME))).toMatchObject({ kind: 'read' });
    expect(await read('/etc/shadow')).toEqual(failed('open', 'EACCES'));
    mkdirSync(join(home, 'closed'), { mode: 0o700 });
    expect(await read(join(home, 'closed/none'))).toEqual(failed('open', 'EACCES'));
    expect(await read(join(home, 'closed/closed/none'))).toEqual(failed('directory', 'EACCES'));
    expect(await replace('S3CRET\n', 'NEXT', OTHER)).toEqual(failed('open', 'EACCES'));
  });

  it('keeps none of our groups', () => {
    const inGroup = (gid: number): string => {
      const path = put(`of-group-${gid}`, 'x', 0o640, { ...ME, gid });
      return inChild(['setpriv', '--groups=61999', process.execPath], path, [[USER.uid, USER.gid]]);
    };
    expect([inGroup(61_999), inGroup(USER.gid)]).toEqual(['failed open\n', 'read\n']);
  });

  it('cannot read the file of somebody else through a link', async () => {
    const others = put('others', 'x', 0o600, OTHER);
    symlinkSync(others, join(home, 'link'));
    expect(await read(join(home, 'link'))).toEqual(failed('open', 'EACCES'));
    expect(await read(join(home, 'link'), OTHER)).toMatchObject({ kind: 'read', symlink: true });
  });

  it('is that user in its own thread only, also among others', async () => {
    const files = accounts(8).map((who) => ({ who, path: put(`of-${who.user}`, who.user, 0o600, who) }));
    const tries = Array.from({ length: 25 }, () =>
      files.flatMap(({ who }) => files.map(({ path }) => ({ who, path }))),
    );
    await Promise.all(
      tries.flat().map(async ({ who, path }) => {
        const own = statSync(path).uid === who.uid;
        expect(await read(path, who)).toMatchObject(own ? { kind: 'read' } : failed('open', 'EACCES'));
        expect(readFileSync(file, 'utf8')).toBe('S3CRET\n');
      }),
    );
    expect([process.geteuid?.(), process.getgroups?.().includes(USER.gid)]).toEqual([0, false]);
  });

  it('needs to be as the passwd database has it, and is root only by that name', async () => {
    const refused = failed('identity', 'EPERM');
    expect(await read(file, { user: 'root', uid: 0, gid: 0 })).toMatchObject({ kind: 'read' });
    expect(await read(file, { user: 'root', uid: 0, gid: 1 })).toEqual(refused);
    expect(await read(file, { ...USER, uid: 0, gid: 0 })).toEqual(refused);
    expect(await read(file, { user: 'root', uid: USER.uid, gid: USER.gid })).toEqual(refused);
    expect(await read(file, { ...USER, gid: 0 })).toEqual(refused);
    expect(await read(file, { ...USER, gid: 999 })).toEqual(refused);
  });

  it('is nobody whom the passwd database does not know, such as the users of a container', async () => {
    const [mapped, name] = [100_000, 'no-such-account'];
    chownSync(file, mapped, mapped);
    chownSync(home, mapped, mapped);
    const who = { user: name, uid: mapped, gid: mapped };
    expect(await read(file, who)).toEqual(failed('identity', 'EPERM'));
    const [old, now] = [Buffer.from('S3CRET\n'), Buffer.from('mine\n')];
    expect(await replaceFileAs(who, file, old, now)).toEqual(failed('identity', 'EPERM'));
    expect(readFileSync(file, 'utf8')).toBe('S3CRET\n');
  });

  it('keeps its identity when the process is not root', () => {
    const { uid } = USER;
    const lines = inChild(
      ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath],
      file,
      [uid, OTHER.uid, 0].map((id) => [id, id]),
    );
    expect(lines).toBe('read\nfailed identity\nfailed identity\n');
  });
});
