import { isPublicId, MAX_PUBLIC_ID_LENGTH } from '../yubico-otp/index.ts';

/** A file with more than that is not a mapping. */
const MAX_LINES = 100_000;

/** Which YubiKeys a user has, as pam_yubico's mapping says. */
export interface MappedUser {
  readonly user: string;
  /** Public ids, each once, in their order. */
  readonly publicIds: readonly string[];
}

/** What could not be taken from a mapping. */
export interface MappingProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly what: string;
}

/** What a mapping file says. */
export interface Mapping {
  readonly users: readonly MappedUser[];
  readonly problems: readonly MappingProblem[];
}

/**
 * Reads a mapping file of pam_yubico, its central `authfile` or a user's `~/.yubico/authorized_yubikeys`: a line for each user,
 * `user:publicId:publicId:…`; lines for the same user add up, and a `#` in the first column begins a comment.
 *
 * Where pam_yubico would go wrong quietly, it is told or put right: white space around the fields (also the return of a Windows
 * line end) and capitals do not matter here, lines may be long, and what is no public id is a problem and not a key that never fits.
 *
 * @param text - the file's content
 * @returns users and problems; a user without any public id is left out and told
 */
export function parseMapping(text: string): Mapping {
  const users = new Map<string, Set<string>>();
  const problems: MappingProblem[] = [];
  const lines = text.split('\n');
  for (const [index, line] of lines.slice(0, MAX_LINES).entries()) {
    const number = index + 1;
    if (line.startsWith('#') || line.trim() === '') {
      continue;
    }
    const [user = '', ...fields] = line.split(':').map((field) => field.trim());
    const given = fields.filter((field) => field !== '').map((field) => field.toLowerCase());
    const publicIds = given.filter((field) => isPublicId(field));
    if (user === '') {
      problems.push({ line: number, what: 'there is no user name' });
      continue;
    }
    if (publicIds.length < given.length) {
      problems.push({
        line: number,
        what: `a public id must be up to ${MAX_PUBLIC_ID_LENGTH} letters of modhex`,
      });
    } else if (publicIds.length === 0) {
      problems.push({ line: number, what: `there is no public id for ${JSON.stringify(user)}` });
    }
    if (publicIds.length > 0) {
      const known = users.get(user) ?? new Set();
      publicIds.forEach((publicId) => known.add(publicId));
      users.set(user, known);
    }
  }
  if (lines.length > MAX_LINES) {
    problems.push({ line: MAX_LINES + 1, what: `only ${MAX_LINES} lines are read` });
  }
  return { users: [...users].map(([user, publicIds]) => ({ user, publicIds: [...publicIds] })), problems };
}
