import type { Command } from 'commander';
import type { ExportedFile, UserView } from '../../contracts/control-requests.ts';
import { lookUpUid, type PasswdEntry } from '../../host/addon.ts';
import { CommandError, type ControlClient } from '../session/control-client.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { reportProgress } from '../terminal/progress.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { fileOf, USUAL_FILE, UserFileError, UserFiles, type UserFile } from '../secrets/user-files.ts';
import { userNamed } from '../session/users.ts';
import { userOption, type ForUser } from '../session/whose.ts';

/** The most tries: if somebody uses a code while the file is written, it is written again. */
const MAX_TRIES = 5;

/** The result for one user's file. */
type Result =
  | {
      readonly user: string;
      readonly result: 'exported';
      readonly file: string;
      readonly left: number | null;
    }
  | { readonly user: string; readonly result: 'failed'; readonly why: string };

interface ExportOptions extends ForUser, Agreement {
  readonly json?: true;
  readonly all?: true;
  readonly to?: string;
  readonly remove?: true;
}

/**
 * `export --user USER`, `export --all`: writes imported files back as files of pam_google_authenticator.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function exportCommand(program: Command, session: Session): void {
  program
    .command('export')
    .description('Write an imported ~/.google_authenticator back')
    .addOption(userOption('export the file of this user'))
    .option('--all', 'export every file that was imported')
    .option(
      '--to <file>',
      `write this new file, as yourself; ~, \${HOME} and \${USER} are the user's (default: the user's ${USUAL_FILE})`,
    )
    .option('--remove', 'then remove it from the store')
    .addOption(yesOption())
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'sudo pve-google-authenticator export --user alice',
        "sudo pve-google-authenticator export --all --to '/root/exported-${USER}'",
      ),
    )
    .action(async (options: ExportOptions, command: Command) => {
      const { user } = options;
      if ((user === undefined) === (options.all === undefined)) {
        command.error('error: give --user or --all');
      }
      const names = user === undefined ? await importedUsers(session.daemon()) : [user];
      if (options.remove === true) {
        await askBeforeLoss(
          session,
          options,
          `After the export, the store no longer has the imported factors of ${names.join(', ') || 'nobody'}.`,
        );
      }
      await exportAll(session, names, options);
    });
}

async function importedUsers(daemon: ControlClient): Promise<string[]> {
  const views = await daemon.list<UserView>(['users']);
  return views
    .filter(({ factors }) => factors.some(({ kind }) => kind === 'google-authenticator'))
    .map(({ user }) => user);
}

async function exportAll(session: Session, names: readonly string[], options: ExportOptions): Promise<void> {
  const files = new UserFiles();
  const progress = reportProgress(session.output, names.length);
  const results: Result[] = [];
  for (const [done, name] of names.entries()) {
    try {
      const user = await userNamed(name);
      results.push(await exportUser(session, files, user, await destinationOf(user, options), options));
    } catch (error) {
      if (error instanceof UserFileError || (error instanceof CommandError && ONE_USER.has(error.code))) {
        session.output.note(`${name}: ${error.message}`);
        results.push({ user: name, result: 'failed', why: error.message });
      } else {
        throw error;
      }
    }
    progress(done + 1);
  }
  const failed = results.filter(({ result }) => result === 'failed').length;
  if (options.json === true) {
    session.output.line(JSON.stringify(results));
  } else if (options.all === true) {
    session.output.line(`${names.length - failed} exported, ${failed} failed.`);
  }
  if (failed > 0) {
    throw new CommandError('ERR_EXPORT', 'Files that failed were not exported; the store still has them');
  }
}

/** Errors that concern only this user. */
const ONE_USER = new Set(['ERR_NO_SUCH_USER', 'ERR_NOT_IMPORTED', 'ERR_RECORD', 'ERR_STORE', 'ERR_CHANGED']);

async function destinationOf(user: PasswdEntry, { to }: ExportOptions): Promise<UserFile> {
  if (to === undefined) {
    return fileOf(USUAL_FILE, user, user);
  }
  const caller = await lookUpUid(process.geteuid?.() ?? 0);
  if (caller === undefined) {
    throw new CommandError(
      'ERR_NO_SUCH_USER',
      'The user who runs this command has no account on this machine',
    );
  }
  return fileOf(to, user, caller);
}

async function exportUser(
  session: Session,
  files: UserFiles,
  { name }: PasswdEntry,
  target: UserFile,
  { remove, json }: ExportOptions,
): Promise<Result> {
  const daemon = session.daemon();
  let written = await exported(daemon, name);
  await create(files, target, written);
  let left: UserView | undefined;
  for (let tries = 0; remove === true && left === undefined; tries++) {
    left = await removed(daemon, name, written, tries < MAX_TRIES);
    if (left === undefined) {
      const newer = await exported(daemon, name);
      await files.replace(target, written, newer);
      written = newer;
    }
  }
  written.fill(0);
  if (json !== true) {
    session.output.line(`${name}: exported to ${target.path}`);
    session.output.note(afterwards(name, left));
  }
  return { user: name, result: 'exported', file: target.path, left: left?.factors.length ?? null };
}

async function exported(daemon: ControlClient, name: string): Promise<Buffer> {
  const { file } = await daemon.ask<ExportedFile>('POST', ['users', name, 'export']);
  return Buffer.from(file, 'base64');
}

/** An existing file with the same contents is fine, so an interrupted export can be repeated. */
async function create(files: UserFiles, target: UserFile, contents: Buffer): Promise<void> {
  if (await files.create(target, contents)) {
    return;
  }
  if ((await files.read(target))?.contents.equals(contents) !== true) {
    throw new UserFileError(
      `${target.path} exists and differs. If it is of the same phone, import it first; else move it away`,
    );
  }
}

/** The user's remaining factors; undefined if a code was used since the file was written. */
async function removed(
  daemon: ControlClient,
  name: string,
  written: Buffer,
  again: boolean,
): Promise<UserView | undefined> {
  try {
    const body = { file: written.toString('base64') };
    return await daemon.ask<UserView>('POST', ['users', name, 'export', 'remove'], body);
  } catch (error) {
    if (again && error instanceof CommandError && error.code === 'ERR_CHANGED') {
      return undefined;
    }
    throw error;
  }
}

function afterwards(name: string, left: UserView | undefined): string {
  if (left === undefined) {
    return `${name}: the store still has the factor, and pam_pve_authenticator checks the store first. To remove it there: --remove`;
  }
  return left.factors.length === 0
    ? `${name}: nothing is left in the store`
    : `${name}: the store has ${left.factors.length} other factors, and pam_pve_authenticator checks those first`;
}
