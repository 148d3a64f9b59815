import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  fchmodSync,
  fchownSync,
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory, writeDurably } from './durable.ts';
import { withHeldFile } from './held-file.ts';
import { SwitchError } from './switch-error.ts';

/** The state of a name. Two states are equal if all fields are. */
export interface Saved {
  readonly path: string;
  readonly kind: 'absent' | 'file' | 'link' | 'directory' | 'other';
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
  /** SHA-256 of a file whose bytes may change. */
  readonly digest?: string;
  /** Of a link: where it leads. */
  readonly target?: string;
}

const PERMISSIONS = 0o7777;
/** A name that an action changes. */
export interface Touched {
  readonly path: string;
  /** Only owner and mode change. The contents, which may be secret, are not read or kept. */
  readonly accessOnly: boolean;
}

/** The largest file that is saved; files to change are service files, or smaller. */
const LARGEST_BYTES = 4 * 1024 * 1024;

/**
 * The current state of names, and of everything below directories that change in more than owner and mode.
 *
 * @param touched - with absolute paths
 * @param keep - gets the bytes of each file
 * @returns one for each name, in their order
 * @throws SwitchError when one cannot be saved
 */
export function look(
  touched: readonly Touched[],
  keep: (digest: string, bytes: Buffer) => void = () => undefined,
): readonly Saved[] {
  return touched.flatMap((one) => lookAt(one, keep));
}

function lookAt(
  { path, accessOnly }: Touched,
  keep: (digest: string, bytes: Buffer) => void,
): readonly Saved[] {
  const found = withHeldFile(path, (name, facts): { saved: Saved; below: readonly string[] } => {
    const { uid, gid } = facts;
    const mode = facts.mode & PERMISSIONS;
    if (facts.isSymbolicLink()) {
      return { saved: { path, kind: 'link', uid, gid, target: readlinkSync(path) }, below: [] };
    }
    if (!facts.isFile()) {
      const below = facts.isDirectory() && !accessOnly ? readdirSync(name).sort() : [];
      return {
        saved: { path, kind: facts.isDirectory() ? 'directory' : 'other', uid, gid, mode },
        below,
      };
    }
    if (accessOnly) {
      return { saved: { path, kind: 'file', uid, gid, mode }, below: [] };
    }
    if (facts.size > LARGEST_BYTES) {
      throw new SwitchError(`${path} has ${facts.size} bytes, too many to keep a copy. Nothing was changed.`);
    }
    const bytes = readFileSync(name);
    const digest = createHash('sha256').update(bytes).digest('hex');
    keep(digest, bytes);
    return { saved: { path, kind: 'file', uid, gid, mode, digest }, below: [] };
  });
  return found === undefined
    ? [{ path, kind: 'absent' }]
    : [found.saved, ...found.below.flatMap((name) => lookAt({ path: `${path}/${name}`, accessOnly }, keep))];
}

/**
 * The names that differ between two states.
 *
 * @param before - what they were
 * @param now - what they are
 * @returns those that differ; a name that only one of both has is absent in the other
 */
export function changedBetween(
  before: readonly Saved[],
  now: readonly Saved[],
): readonly { readonly before: Saved; readonly after: Saved }[] {
  const of = (list: readonly Saved[], path: string): Saved =>
    list.find((one) => one.path === path) ?? { path, kind: 'absent' };
  const paths = [...new Set([...before, ...now].map(({ path }) => path))];
  return paths
    .map((path) => ({ before: of(before, path), after: of(now, path) }))
    .filter((one) => !isSame(one.before, one.after));
}

/**
 * Whether two states of a name are equal.
 *
 * @param one - a state of it
 * @param other - another
 * @returns whether nothing differs
 */
export function isSame(one: Saved, other: Saved): boolean {
  const all = ({ path, kind, uid, gid, mode, digest, target }: Saved): string =>
    JSON.stringify([path, kind, uid, gid, mode, digest, target]);
  return all(one) === all(other);
}

/**
 * Restores a name, to the byte.
 *
 * @param saved - what it was
 * @param bytesOf - the bytes of a digest
 * @throws SwitchError when that cannot be done
 */
export function restore(saved: Saved, bytesOf: (digest: string) => Buffer): void {
  const { path, uid = 0, gid = 0, mode = 0 } = saved;
  const [now] = look([{ path, accessOnly: saved.digest === undefined || saved.kind === 'absent' }]);
  switch (saved.kind) {
    case 'absent':
      if (now?.kind === 'directory') {
        rmdirSync(path);
      } else {
        rmSync(path, { force: true });
      }
      break;
    case 'directory':
      if (now?.kind === 'absent') {
        mkdirSync(path);
      }
      setAccess(path, { uid, gid, mode });
      break;
    case 'link':
      rmSync(path, { force: true });
      symlinkSync(saved.target ?? '', path);
      break;
    case 'file':
      if (saved.digest !== undefined && (now?.kind !== 'file' || now.digest !== saved.digest)) {
        putFile(path, bytesOf(saved.digest), { uid, gid, mode });
        return;
      }
      setAccess(path, { uid, gid, mode });
      break;
    case 'other':
      setAccess(path, { uid, gid, mode });
      break;
  }
  syncDirectory(dirname(path));
}

/**
 * Writes or replaces a file atomically.
 *
 * @param path - in a directory that only root can write
 * @param bytes - what it will hold
 * @param access - whose it will be
 */
export function putFile(
  path: string,
  bytes: Buffer,
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
): void {
  const temporary = `${dirname(path)}/.${path.slice(path.lastIndexOf('/') + 1)}.doctor`;
  rmSync(temporary, { force: true });
  const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
  const fd = openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    writeFileSync(fd, bytes);
    fchownSync(fd, uid, gid);
    fchmodSync(fd, mode);
    fsyncSync(fd);
    renameSync(temporary, path);
  } finally {
    closeSync(fd);
    rmSync(temporary, { force: true });
  }
  syncDirectory(dirname(path));
}

/**
 * Gives a file or socket another owner and mode. A file with hard links is refused, because another name may belong to somebody
 * else.
 *
 * @param path - of the file
 * @param access - as it should be
 * @throws SwitchError when it is a link, or has a second name
 */
export function setAccess(
  path: string,
  { uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number },
): void {
  const done = withHeldFile(path, (name, facts) => {
    if (facts.isSymbolicLink() || (facts.isFile() && facts.nlink > 1)) {
      throw new SwitchError(`${path} is a symbolic link or has hard links. Check it yourself.`);
    }
    chownSync(name, uid, gid);
    chmodSync(name, mode);
    return true;
  });
  if (done === undefined) {
    throw new SwitchError(`There is no ${path} any more.`);
  }
}

/**
 * Keeps bytes by their digest.
 *
 * @param directory - root's alone
 * @returns keeps some
 */
export function keeperIn(directory: string): (digest: string, bytes: Buffer) => void {
  return (digest, bytes) => writeDurably(`${directory}/${digest}`, bytes.toString('latin1'));
}
