import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  makeOwnDirectory,
  readOwnFile,
  replaceOwnFile,
  writeDurably,
} from '../../../../src/command/switching/durable.ts';
import { lock } from '../../../../src/command/switching/enable.ts';
import { placesBelow } from '../../../../src/command/switching/places.ts';
import { temporaryDirectories } from '../../fixtures/temporary-directory.ts';

const MOST = 100;
const newDirectory = temporaryDirectories();
const isRoot = process.geteuid?.() === 0;
let directory: string;
let path: string;

beforeEach(() => {
  directory = newDirectory();
  path = `${directory}/sshd`;
  writeFileSync(path, 'auth \xe9\n', { encoding: 'latin1', mode: 0o640 });
  chmodSync(path, 0o640);
});

describe('a file that only root can have written', () => {
  it('is read byte for byte, and is not there without an error', () => {
    expect(readOwnFile(path, MOST)).toMatchObject({ path, text: 'auth \xe9\n' });
    expect(readOwnFile(`${directory}/none`, MOST)).toBeUndefined();
  });

  it.each<[string, RegExp, () => void]>([
    [
      'a link',
      /is a symbolic link/,
      () => {
        renameSync(path, `${path}.2`);
        symlinkSync(`${path}.2`, path);
      },
    ],
    [
      'a pipe, which is not waited for',
      /is not a file/,
      () => execFileSync('sh', ['-c', `rm ${path}; mkfifo ${path}`]),
    ],
    ['a directory', /is not a file/, () => execFileSync('sh', ['-c', `rm ${path}; mkdir ${path}`])],
    [
      'a file for the group to write',
      /Users other than root can write .*chmod go-w/,
      () => chmodSync(path, 0o660),
    ],
    ['a file for everybody to write', /Users other than root can write/, () => chmodSync(path, 0o646)],
    [
      'one that is too large',
      /has 107 bytes; a service file has at most 100/,
      () => appendFileSync(path, 'x'.repeat(MOST)),
    ],
  ])('is not %s', (_what, says, happens) => {
    happens();
    expect(() => readOwnFile(path, MOST)).toThrow(says);
  });

  it.runIf(isRoot)('does not belong to somebody else', () => {
    chownSync(path, 65534, 0);
    expect(() => readOwnFile(path, MOST)).toThrow(/Users other than root can write .*chown root:/);
  });
});

describe('a file that is replaced', () => {
  it('keeps its mode and owner, and nothing else is left', () => {
    if (isRoot) {
      chownSync(path, 0, 65534);
    }
    const { gid } = statSync(path);
    replaceOwnFile(readOwnFile(path, MOST)!, 'new \xe8\n');
    expect(readFileSync(path, 'latin1')).toBe('new \xe8\n');
    expect(statSync(path)).toMatchObject({ gid, mode: 0o100640 });
    expect(readdirSync(directory)).toEqual(['sshd']);
  });

  it.each<[string, () => void]>([
    ['was edited', () => appendFileSync(path, '# mine\n')],
    [
      'was replaced by one that says the same',
      () => {
        copyFileSync(path, `${path}.2`);
        renameSync(`${path}.2`, path);
      },
    ],
    ['was removed', () => renameSync(path, `${directory}/away`)],
  ])('is not touched when it %s meanwhile', (_what, happens) => {
    const read = readOwnFile(path, MOST)!;
    happens();
    const before = execFileSync('sh', ['-c', `cat ${directory}/* | sha256sum; ls -A ${directory}`], {
      encoding: 'utf8',
    });
    expect(() => replaceOwnFile(read, 'new\n')).toThrow(
      /was changed by another program at this moment. Nothing was written/,
    );
    expect(
      execFileSync('sh', ['-c', `cat ${directory}/* | sha256sum; ls -A ${directory}`], { encoding: 'utf8' }),
    ).toBe(before);
  });

  it('replaces anything in the way of its copy, and never follows links', () => {
    symlinkSync('/etc/passwd', `${directory}/.sshd.enable`);
    replaceOwnFile(readOwnFile(path, MOST)!, 'new\n');
    symlinkSync('/etc/passwd', `${path}.new`);
    writeDurably(path, 'newer\n', 0o600);
    expect(lstatSync(path)).toMatchObject({ mode: 0o100600 });
    expect(readFileSync(path, 'latin1')).toBe('newer\n');
  });

  it('says which file cannot be written', () => {
    expect(() => writeDurably(`${directory}/none/file`, 'x')).toThrow(
      /none\/file cannot be written \(ENOENT\)/,
    );
  });
});

describe('a directory of root alone', () => {
  it('is made once, for nobody else', () => {
    makeOwnDirectory(`${directory}/switch`);
    makeOwnDirectory(`${directory}/switch`);
    expect(statSync(`${directory}/switch`).mode & 0o777).toBe(0o700);
  });

  it('refuses links, and files that others can write', () => {
    mkdirSync(`${directory}/open`);
    chmodSync(`${directory}/open`, 0o770);
    expect(() => makeOwnDirectory(`${directory}/open`)).toThrow(
      /must be accessible to root only. To fix it: chown root: /,
    );
    symlinkSync('/tmp', `${directory}/link`);
    expect(() => makeOwnDirectory(`${directory}/link`)).toThrow(/link cannot be written/);
  });
});

it('only one command changes pam.d at a time; to let go twice closes nothing else', () => {
  const places = placesBelow(directory);
  makeOwnDirectory(places.state);
  const unlock = lock(places);
  expect(() => lock(places)).toThrow('Another command changes /etc/pam.d at this moment');
  unlock();
  const fd = openSync(path, 'r');
  unlock();
  closeSync(fd);
  lock(places)();
});
