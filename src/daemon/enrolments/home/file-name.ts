import { isFilePath } from '../../../host/file-path.ts';

/** The default name of the file. */
export const DEFAULT_FILE_NAME = '~/.google_authenticator';

/** A login name without a passwd entry that may still become part of a path. */
const PLAIN_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** What `~`, `${HOME}` and `${USER}` stand for. */
export interface FileNameTerms {
  /** Home directory; undefined if there is none, or if another account reads the file. */
  readonly home: string | undefined;
  /** The user's name. */
  readonly user: string | undefined;
  /** Whether the name comes from a passwd entry; if not, somebody typed it. */
  readonly vouchedFor: boolean;
}

/** A path, or why there is none. */
export type FileName = { readonly path: string } | { readonly why: string };

/**
 * Expands the name of the state file as pam_google_authenticator does: `~` at the start and after each slash, `${HOME}` and
 * `${USER}` anywhere, but not inside inserted values. Unlike that module, it allows no name that leads to another directory.
 *
 * @param spec - as pam.d has it
 * @param terms - what is put in
 * @returns an absolute path without `..`
 */
export function expandFileName(spec: string, terms: FileNameTerms): FileName {
  let path = '';
  for (const part of spec.split(/((?<=^|\/)~|\$\{HOME\}|\$\{USER\})/)) {
    if (part === '${USER}') {
      const name = nameIn(terms);
      if (name === undefined) {
        return { why: 'the name of the user cannot be a part of a path' };
      }
      path += name;
    } else if (part === '${HOME}' || part === '~') {
      if (terms.home?.startsWith('/') !== true) {
        return { why: 'there is no home directory to look in' };
      }
      path += terms.home;
    } else {
      path += part;
    }
  }
  return isFilePath(path) ? { path } : { why: 'the name of the secret file is not an absolute path' };
}

function nameIn({ user, vouchedFor }: FileNameTerms): string | undefined {
  const fits = vouchedFor
    ? user !== undefined && user !== '' && !user.startsWith('.') && !user.includes('/')
    : PLAIN_NAME.test(user ?? '');
  return fits ? user : undefined;
}
