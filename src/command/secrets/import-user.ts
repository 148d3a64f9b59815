import { basename } from 'node:path';
import type { Imported } from '../../contracts/control-requests.ts';
import type { PasswdEntry } from '../../host/addon.ts';
import { CommandError } from '../session/control-client.ts';
import { askWithProof } from '../session/ask-with-proof.ts';
import type { Session } from '../session/session.ts';
import { fileOf, UserFileError, type FoundFile, type UserFile, type UserFiles } from './user-files.ts';

/** The most tries: if somebody uses a code during the import, the file is read again. */
const MAX_TRIES = 5;
const MAX_OLD_FILES = 100;

/** The result of importing one user's file. */
export type ImportResult =
  | {
      readonly user: string;
      readonly result: 'imported';
      readonly file: string;
      /** The new name of the old file. */
      readonly renamed: string;
      readonly imported: Imported;
      readonly readableByOthers: boolean;
    }
  | { readonly user: string; readonly result: 'no-file'; readonly file: string }
  | { readonly user: string; readonly result: 'failed'; readonly why: readonly string[] };

/** The tools of an import. */
export interface ImportTools {
  readonly session: Session;
  readonly files: UserFiles;
  /** The name of the files, as in the module's option `secret=`. */
  readonly from: string;
  /** The user who reads and renames them; undefined: each file's own user. */
  readonly as: PasswdEntry | undefined;
  /** Whether to replace an earlier import with another secret. */
  readonly replace: boolean;
}

/**
 * Imports one user's file. The old file is renamed once the store has it durably. If the import is interrupted, repeating it
 * completes it.
 *
 * @param tools - daemon and files
 * @param user - whose
 * @returns how it ended
 * @throws CommandError when the daemon is not there, or nothing answers
 */
export async function importUser(tools: ImportTools, user: PasswdEntry): Promise<ImportResult> {
  try {
    return await tryImport(tools, user.name, fileOf(tools.from, user, tools.as ?? user));
  } catch (error) {
    if (error instanceof UserFileError || (error instanceof CommandError && !FINAL.has(error.code))) {
      return { user: user.name, result: 'failed', why: error.message.split('\n') };
    }
    throw error;
  }
}

/** After these errors, going on with other users is useless. */
const FINAL = new Set(['ERR_DAEMON', 'ERR_HUNG', 'ERR_NOT_ROOT', 'ERR_NO_SUCH_REQUEST']);

async function tryImport(tools: ImportTools, name: string, file: UserFile): Promise<ImportResult> {
  const { session, files, replace } = tools;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const found = await files.read(file);
    if (found === undefined) {
      return { user: name, result: 'no-file', file: file.path };
    }
    const imported = await send(session, name, found, replace);
    const renamed = await setAside(files, found);
    found.contents.fill(0);
    if (renamed !== undefined) {
      const { readableByOthers } = found;
      return { user: name, result: 'imported', file: file.path, renamed, imported, readableByOthers };
    }
  }
  throw new UserFileError(`${file.path} changes all the time: try again when nobody logs in with it`);
}

/** @throws CommandError whose message names the file */
async function send(
  session: Session,
  name: string,
  { path, contents }: FoundFile,
  replace: boolean,
): Promise<Imported> {
  const body = { file: contents.toString('base64'), replace };
  try {
    return await askWithProof<Imported>(session, ['users', name, 'import'], body);
  } catch (error) {
    if (error instanceof CommandError && error.code === 'ERR_BAD_FILE') {
      throw new CommandError(
        error.code,
        error.message.replaceAll(/^/gm, () => `${path}: `),
      );
    }
    throw error;
  }
}

/** Renames the file and returns its new name; undefined if it changed since it was read. */
async function setAside(files: UserFiles, found: FoundFile): Promise<string | undefined> {
  const name = `${basename(found.path)}.imported`;
  for (let number = 1; number <= MAX_OLD_FILES; number++) {
    const newName = number === 1 ? name : `${name}-${number}`;
    switch (await renameTo(files, found, newName)) {
      case 'set-aside':
        return newName;
      case 'changed':
        return undefined;
      case 'exists':
        break;
    }
  }
  throw new UserFileError(`${found.path} was imported but not renamed: there are too many ${name}-N`);
}

async function renameTo(
  files: UserFiles,
  found: FoundFile,
  newName: string,
): ReturnType<UserFiles['setAside']> {
  try {
    return await files.setAside(found, newName);
  } catch (error) {
    if (error instanceof UserFileError) {
      throw new UserFileError(`${error.message}. The store has it already: rename the file, or try again`);
    }
    throw error;
  }
}
