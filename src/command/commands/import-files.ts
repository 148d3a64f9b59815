import type { PasswdEntry } from '../../host/addon.ts';
import { CommandError } from '../session/control-client.ts';
import { importUser, type ImportResult } from '../secrets/import-user.ts';
import { reportProgress } from '../terminal/progress.ts';
import type { Session } from '../session/session.ts';
import { UserFiles } from '../secrets/user-files.ts';
import { userNamed } from '../session/users.ts';

/** The options that say which files of pam_google_authenticator to import, and how. */
export interface FileImport {
  /** The files of all users of this machine. */
  readonly all?: true;
  /** The name of the file, as in the module's option `secret=`. */
  readonly from: string;
  /** The user who reads and renames it; by default its owner. */
  readonly as?: string;
  /** Replaces an earlier import with another secret. */
  readonly replace?: true;
  readonly json?: true;
}

/**
 * `import`, `import --all`: takes users' files into the store.
 *
 * @param session - connection and output
 * @param users - whose
 * @param options - which files, and how
 * @throws CommandError when one could not be imported
 */
export async function importFiles(
  session: Session,
  users: readonly PasswdEntry[],
  options: FileImport,
): Promise<void> {
  const as = options.as === undefined ? undefined : await userNamed(options.as);
  const tools = {
    session,
    files: new UserFiles(),
    from: options.from,
    as,
    replace: options.replace === true,
  };
  const results: ImportResult[] = [];
  const progress = reportProgress(session.output, users.length);
  for (const user of users) {
    const result = await importUser(tools, user);
    results.push(result);
    if (options.json !== true) {
      show(session, result, options.all === true);
    }
    progress(results.length);
  }
  if (options.json === true) {
    session.output.line(JSON.stringify(results));
  }
  conclude(session, results, options);
}

function show({ output }: Session, result: ImportResult, all: boolean): void {
  switch (result.result) {
    case 'imported': {
      const { user, file, renamed, imported } = result;
      const { codes, codesLeft = 0 } = imported.factor;
      const what = [...(codes === undefined ? [] : [codes.toUpperCase()]), `${codesLeft} scratch codes`];
      output.line(`${user}: imported ${file} (${what.join(', ')}); the old file is now ${renamed}`);
      if (result.readableByOthers) {
        output.note(
          `${user}: other users could read the file. If somebody may have read it, remove the factor and add a new one`,
        );
      }
      return;
    }
    case 'no-file':
      if (!all) {
        output.note(`${result.user}: there is no ${result.file}`);
      }
      return;
    case 'failed':
      result.why.forEach((line) => output.note(`${result.user}: ${line}`));
      return;
  }
}

function conclude({ output }: Session, results: readonly ImportResult[], { all, json }: FileImport): void {
  const count = (kind: ImportResult['result']): number =>
    results.filter(({ result }) => result === kind).length;
  const [imported, failed, none] = [count('imported'), count('failed'), count('no-file')];
  if (all === true && json !== true) {
    output.line(`${imported} imported, ${failed} failed, ${none} users have no such file.`);
  }
  if (failed > 0) {
    throw new CommandError(
      'ERR_IMPORT',
      'Files that failed were not imported. They are unchanged unless a line above says otherwise',
    );
  }
  if (all === undefined && none > 0) {
    throw new CommandError('ERR_NO_FILE', 'Nothing was imported');
  }
}
