import { LARGEST_FILE } from '../../../host/user-files.ts';
import type { ReadRequest } from '../../../contracts/file-requests.ts';
import type { Lookup, LookupRequest } from '../enrolment.ts';
import type { ReadResult } from './file-access.ts';
import { DEFAULT_FILE_NAME, expandFileName, type FileName } from './file-name.ts';
import { troubleWith, unfitness, type Owner } from './fitness.ts';
import { isWithinGracePeriod } from './grace-period.ts';
import { homeEnrolment, type HomeFile, type HomePorts } from './home-enrolment.ts';
import type { FileDirectories } from './file-directories.ts';
import { inWords, readInTime } from './read-in-time.ts';
import { isRateLimited } from './rate-limit.ts';
import { rateLimitOf } from './settings.ts';

/* The source `home`: finds and reads the file of a user. */

/** What looking a file up needs. */
export interface HomeSourcePorts extends HomePorts {
  readonly places: FileDirectories;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * An account without files. Users who do not exist are looked up as this one, so that it takes as long. Undefined if there is
   * none.
   */
  readonly nobody: Owner | undefined;
}

/** The files of pam_google_authenticator as a source of enrolments. */
export interface HomeSource {
  /**
   * Looks a user's file up. Like pam_google_authenticator, it checks the rate limit and the grace period before the question.
   *
   * @param request - who, and what pam.d says
   * @param owner - the account that `user=` names, if it is set
   * @returns what is enrolled in the file; it never rejects
   */
  lookUp(request: LookupRequest, owner: Owner | undefined): Promise<Lookup>;
}

/**
 * The files of pam_google_authenticator as a source of enrolments.
 *
 * @param ports - files, ledger, time
 * @returns the source
 */
export function homeSource(ports: HomeSourcePorts): HomeSource {
  return {
    async lookUp(request, fixed) {
      if (request.account === undefined && fixed === undefined) {
        await seekNobody(ports);
        return { kind: 'absent' };
      }
      const owner = fixed ?? ownAccount(request);
      const name = fileName(request, fixed);
      if (owner === undefined || 'why' in name) {
        return { kind: 'blocked', quiet: true, why: 'why' in name ? name.why : 'the account has no group' };
      }
      const file: HomeFile = {
        user: request.account?.name ?? request.loginName ?? '',
        uid: request.account?.uid,
        owner,
        path: name.path,
        ownersOwn: fixed === undefined && request.options.secret === undefined,
        rhost: request.rhost,
        options: request.options,
      };
      return found(ports, file, await readInTime(ports.files, requestFor(file)));
    },
  };
}

async function seekNobody(ports: HomeSourcePorts): Promise<void> {
  if (ports.nobody !== undefined) {
    const read = await readInTime(
      ports.files,
      requestFor({ owner: ports.nobody, path: '/.google_authenticator' }),
    );
    if (read.kind === 'read') {
      read.contents.fill(0);
    }
  }
}

function ownAccount({ account, gid }: LookupRequest): Owner | undefined {
  return account === undefined || gid === undefined
    ? undefined
    : { name: account.name, uid: account.uid, gid };
}

function fileName({ account, home, loginName, options }: LookupRequest, fixed: Owner | undefined): FileName {
  return expandFileName(
    options.secret ?? DEFAULT_FILE_NAME,
    fixed === undefined
      ? { home, user: account?.name, vouchedFor: true }
      : { home: undefined, user: loginName, vouchedFor: false },
  );
}

function requestFor({ owner, path }: Pick<HomeFile, 'owner' | 'path'>): ReadRequest {
  return { user: owner.name, uid: owner.uid, gid: owner.gid, path, maxBytes: LARGEST_FILE };
}

async function found(ports: HomeSourcePorts, file: HomeFile, read: ReadResult): Promise<Lookup> {
  const { path } = file;
  if (read.kind === 'read') {
    try {
      await ports.places.note(file, path, read.directory);
      return standing(ports, file, read);
    } finally {
      read.contents.fill(0);
    }
  }
  if (read.kind === 'missing') {
    return missing(ports, file, read);
  }
  const trouble = troubleWith(path, read);
  return trouble === undefined
    ? { kind: 'failed', quiet: true, why: `Failed to read ${path}: ${inWords(read)}` }
    : { kind: 'blocked', quiet: true, why: trouble };
}

function missing(
  { places }: HomeSourcePorts,
  { user, path }: HomeFile,
  { directory, symlink }: Extract<ReadResult, { kind: 'missing' }>,
): Lookup {
  if (symlink) {
    return { kind: 'failed', quiet: true, why: `Secret file ${path} is a symbolic link that leads nowhere` };
  }
  return places.isGone(user, path, directory)
    ? { kind: 'absent' }
    : {
        kind: 'failed',
        quiet: true,
        why: `Secret file ${path} is missing, and nobody said that it was deleted: is the directory mounted? If it was deleted: pve-google-authenticator forget --user ${user}`,
      };
}

function standing(
  ports: HomeSourcePorts,
  file: HomeFile,
  read: Extract<ReadResult, { kind: 'read' }>,
): Lookup {
  const { path, owner, options, rhost } = file;
  const unfit = unfitness(path, read, owner, options);
  if (unfit !== undefined) {
    return { kind: 'blocked', quiet: true, why: unfit };
  }
  const text = read.contents.toString('latin1');
  const now = Math.floor(ports.now() / 1000);
  if (options.gracePeriod > 0 && isWithinGracePeriod(text, rhost, options.gracePeriod, now)) {
    return { kind: 'spared', factor: 'home:grace-period' };
  }
  const limit = rateLimitOf(text);
  if (limit !== undefined && 'bad' in limit) {
    return { kind: 'refused', reason: 'record-unusable', why: `${limit.bad} in ${path}` };
  }
  if (limit !== undefined && isRateLimited(limit, now)) {
    return { kind: 'refused', reason: 'too-many-tries', why: `RATE_LIMIT in ${path}` };
  }
  return { kind: 'enrolled', enrolment: homeEnrolment(ports, file) };
}
