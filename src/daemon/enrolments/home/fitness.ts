import type { LookupOptions } from '../../../config/lookup-options.ts';
import type { ReadResult } from './file-access.ts';

/* Whether a file may be used: permissions, owner, contents. Pure. */

type Read = Extract<ReadResult, { kind: 'read' }>;

/** Whose the file must be. */
export interface Owner {
  /** Canonical name. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * Why a file cannot be used: its permissions, its owner or a NUL in it, by the rules of pam_google_authenticator. Unlike that
 * module, it also refuses the set-uid bit.
 *
 * @param path - of the file, for the log
 * @param read - what was read
 * @param owner - who must own it
 * @param options - which permissions and owners are allowed
 * @returns the reason in words, or undefined
 */
export function unfitness(
  path: string,
  { file, contents }: Read,
  owner: Owner,
  { allowedPermissions, strictOwner }: LookupOptions,
): string | undefined {
  if ((file.mode & ~allowedPermissions) !== 0) {
    return `Secret file ${path} permissions (${octal(file.mode)}) are more permissive than ${octal(allowedPermissions)}`;
  }
  if (strictOwner && file.uid !== owner.uid) {
    return `Secret file ${path} must be owned by ${owner.name}`;
  }
  return contents.includes(0) ? `Invalid file contents in ${path}` : undefined;
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

/**
 * Says in words why a file could not be opened or read, if the file itself is the cause.
 *
 * @param path - of the file
 * @param trouble - what the reader said
 * @returns the reason, or undefined if the file is not the cause
 */
export function troubleWith(path: string, trouble: Exclude<ReadResult, Read>): string | undefined {
  switch (trouble.kind) {
    case 'unfit':
      return trouble.why === 'not-regular'
        ? `Secret file ${path} is not a regular file`
        : `Invalid file size for ${path}`;
    case 'failed':
      return trouble.step === 'identity' || trouble.step === 'memory'
        ? undefined
        : `Failed to read ${path}: ${trouble.code}`;
    case 'missing':
    case 'busy':
    case 'hung':
    case 'no-reader':
    case 'no-answer':
      return undefined;
  }
}
