import { parseMapping } from '../../../formats/yubico-mapping.ts';
import { LARGEST_FILE } from '../../../host/user-files.ts';
import type { Account, Lookup, LookupRequest } from '../enrolment.ts';
import type { HomeFiles, ReadResult } from '../home/file-access.ts';
import { expandFileName } from '../home/file-name.ts';
import { troubleWith, type Owner } from '../home/fitness.ts';
import type { FileDirectories } from '../home/file-directories.ts';
import { inWords, readInTime } from '../home/read-in-time.ts';
import type { StoreSource } from '../store/store-source.ts';
import type { OnlineYubikeys } from './online-yubikeys.ts';
import { USER_MAPPING, type YubicoLine } from '../../../config/yubico-line.ts';

/* The source `yubico`: users and keys of a line with pam_yubico's options. */

const ROOT: Owner = { name: 'root', uid: 0, gid: 0 };
/** Only the owner may write a mapping file. */
const WRITABLE_BY_OTHERS = 0o022;

/** What looking users up needs on a line with pam_yubico's options. */
export interface LinePorts {
  readonly files: HomeFiles;
  /** Remembers the directories of users' files, so that an unmounted home does not look like a missing file. */
  readonly places: FileDirectories;
  /** An account without files. Users who do not exist are looked up as this one. Undefined if there is none. */
  readonly nobody: Owner | undefined;
  readonly store: StoreSource;
  /** Checks the keys of a line. */
  readonly yubikeysOf: (line: YubicoLine) => OnlineYubikeys;
  /** Reports that a user's own file is unusable although other factors work. */
  readonly trouble: (account: Account, why: string) => void;
}

/** Looks users up as pam_yubico does. */
export interface LineSource {
  /**
   * Looks a user up: with `authfile=`, only in that file; otherwise in the file in the user's home, and in the store.
   *
   * @param request - who, from where
   * @param line - the options of the line in pam.d
   * @returns what is known; it never rejects
   */
  lookUp(request: LookupRequest, line: YubicoLine): Promise<Lookup>;
}

/**
 * Users and their YubiKeys according to a line in pam.d with pam_yubico's options.
 *
 * @param ports - files, store
 * @returns the source
 */
export function lineSource(ports: LinePorts): LineSource {
  return {
    async lookUp(request, line) {
      const { account } = request;
      const place = placeOf(ports, request, line);
      const found = await mappedKeys(ports, request, line, place);
      if (account === undefined) {
        return { kind: 'absent' };
      }
      const alone = line.authfile !== undefined;
      if (found.kind !== 'keys' && alone) {
        return found;
      }
      const publicIds = found.kind === 'keys' ? found.publicIds : [];
      const known = new Set(publicIds);
      const again = async (): Promise<readonly string[]> => {
        const now = await mappedKeys(ports, request, line, place);
        return now.kind === 'keys' ? now.publicIds.filter((publicId) => known.has(publicId)) : [];
      };
      const named = { publicIds, now: again, yubikeys: ports.yubikeysOf(line) };
      const lookup = ports.store.lookUpWith(account, named, alone);
      if (found.kind === 'keys') {
        return lookup;
      }
      if (lookup.kind === 'absent') {
        return found;
      }
      ports.trouble(account, found.why);
      return lookup;
    },
  };
}

/** The mapping file, and the user whose rights are used to read it. */
type Place = { readonly owner: Owner; readonly path: string } | { readonly why: string } | undefined;

function placeOf(
  { nobody }: LinePorts,
  { account, gid, home }: LookupRequest,
  { authfile }: YubicoLine,
): Place {
  if (authfile !== undefined) {
    return { owner: ROOT, path: authfile };
  }
  if (account === undefined || gid === undefined) {
    return nobody === undefined ? undefined : { owner: nobody, path: '/.yubico/authorized_yubikeys' };
  }
  const name = expandFileName(USER_MAPPING, { home, user: account.name, vouchedFor: true });
  return 'why' in name ? name : { owner: { name: account.name, uid: account.uid, gid }, path: name.path };
}

type Mapped =
  | { readonly kind: 'keys'; readonly publicIds: readonly string[] }
  | { readonly kind: 'blocked' | 'failed'; readonly why: string };

async function mappedKeys(
  ports: LinePorts,
  { account }: LookupRequest,
  line: YubicoLine,
  place: Place,
): Promise<Mapped> {
  if (place === undefined || 'why' in place) {
    return place === undefined ? { kind: 'keys', publicIds: [] } : { kind: 'blocked', why: place.why };
  }
  const { owner, path } = place;
  const read = await readInTime(ports.files, {
    user: owner.name,
    uid: owner.uid,
    gid: owner.gid,
    path,
    maxBytes: LARGEST_FILE,
  });
  if (account === undefined) {
    return { kind: 'keys', publicIds: [] };
  }
  if (read.kind === 'missing') {
    return missing(ports, account, line, path, read);
  }
  if (read.kind !== 'read') {
    const trouble = troubleWith(path, read);
    return trouble === undefined
      ? { kind: 'failed', why: `Failed to read ${path}: ${inWords(read)}` }
      : { kind: 'blocked', why: trouble.replace('Secret file', 'File') };
  }
  if (line.authfile === undefined) {
    await ports.places.note({ user: account.name, uid: account.uid }, path, read.directory);
  }
  const unfit = unfitness(path, read, owner);
  if (unfit !== undefined) {
    return { kind: 'blocked', why: unfit };
  }
  const { users } = parseMapping(read.contents.toString('latin1'));
  return {
    kind: 'keys',
    publicIds: users
      .filter(({ user }) => user === account.name)
      .flatMap(({ publicIds }) => publicIds)
      .filter(({ length }) => length === line.idLength),
  };
}

/** A missing central file is an error; a missing file in a home may mean that the home is not mounted. */
function missing(
  { places }: LinePorts,
  { name }: Account,
  { authfile }: YubicoLine,
  path: string,
  { directory, symlink }: Extract<ReadResult, { kind: 'missing' }>,
): Mapped {
  if (authfile !== undefined) {
    return { kind: 'failed', why: `there is no ${path}, which authfile names` };
  }
  return !symlink && places.isGone(name, path, directory)
    ? { kind: 'keys', publicIds: [] }
    : {
        kind: 'failed',
        why: `${path} is missing, and nobody said that it was deleted: is the directory mounted? If it was deleted: pve-google-authenticator forget --user ${name}`,
      };
}

function unfitness(
  path: string,
  { file: { uid, mode } }: Extract<ReadResult, { kind: 'read' }>,
  owner: Owner,
): string | undefined {
  if (uid !== owner.uid && uid !== ROOT.uid) {
    return `File ${path} must be owned by ${owner.name}${owner.uid === ROOT.uid ? '' : ' or root'}`;
  }
  return (mode & WRITABLE_BY_OTHERS) === 0
    ? undefined
    : `File ${path} can be written by others (mode 0${mode.toString(8)}): chmod go-w it, if it is right`;
}
