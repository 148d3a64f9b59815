import type { Command } from 'commander';
import type { Changed, FactorView, UserView } from '../../contracts/control-requests.ts';
import { parseMapping, type Mapping } from '../../formats/yubico-mapping.ts';
import type { PasswdEntry } from '../../host/addon.ts';
import { readRootFile } from '../../host/root-file.ts';
import { CommandError } from '../session/control-client.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { fileOf, UserFileError, UserFiles } from '../secrets/user-files.ts';
import { listedUsers, userNamed } from '../session/users.ts';
import { userOption, type ForUser } from '../session/whose.ts';

const ROOT_UID = 0;
/** The file that pam_yubico reads without `authfile=`. */
const USER_MAPPING = '~/.yubico/authorized_yubikeys';
/** The largest mapping of one machine. */
const MAX_AUTHFILE_BYTES = 4 * 1024 * 1024;

interface Options extends ForUser {
  readonly json?: true;
  readonly all?: true;
  readonly authfile?: string;
}

/** The counts of all results. */
interface Count {
  readonly json: boolean;
  readonly keys: { readonly user: string; readonly factor: FactorView }[];
  added: number;
  present: number;
  failed: number;
}

/**
 * `yubico import`: imports the keys from mappings of pam_yubico into the store.
 *
 * @param yubico - where the command is added
 * @param session - connection and output
 */
export function importMappingCommand(yubico: Command, session: Session): void {
  yubico
    .command('import')
    .description('Import YubiKeys from mapping files of pam_yubico, and leave the files as they are')
    .addOption(userOption(`import this user's ${USER_MAPPING}, or with --authfile this user's lines`))
    .option('--authfile <file>', "import a central file, as in the module's option authfile=")
    .option('--all', `import every user's ${USER_MAPPING}`)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'sudo pve-google-authenticator yubico import --authfile /etc/yubikey_mappings',
        'sudo pve-google-authenticator yubico import --all',
        'sudo pve-google-authenticator yubico import --user alice',
      ),
    )
    .action(async (options: Options, command: Command) => {
      const { user } = options;
      const wanted = [user, options.all, options.authfile].filter((given) => given !== undefined).length;
      if (wanted === 0 || (options.all === true && wanted > 1)) {
        command.error('error: give --user, --all or --authfile');
      }
      if (process.geteuid?.() !== ROOT_UID) {
        throw new CommandError(
          'ERR_NOT_ROOT',
          'Only root may do that: add your own key with "add yubikey" and a touch',
        );
      }
      await importAll(session, user, options);
    });
}

async function importAll(session: Session, user: string | undefined, options: Options): Promise<void> {
  const count: Count = { json: options.json === true, keys: [], added: 0, present: 0, failed: 0 };
  if (options.authfile !== undefined) {
    await importCentral(session, options.authfile, user, count);
  } else {
    const files = new UserFiles();
    const users = options.all === true ? await listedUsers() : [await userNamed(user ?? '')];
    for (const entry of users) {
      await importOwn(session, files, entry, options.all === true, count);
    }
  }
  const { output } = session;
  output.line(
    count.json
      ? JSON.stringify({ added: count.keys, present: count.present, failed: count.failed })
      : `${count.added} keys added, ${count.present} were there already, ${count.failed} problems.`,
  );
  if (count.failed > 0) {
    throw new CommandError('ERR_IMPORT', 'The keys named above were not imported');
  }
}

async function importCentral(
  session: Session,
  file: string,
  only: string | undefined,
  count: Count,
): Promise<void> {
  const mapping = parseMapping(readAuthfile(file));
  const users = mapping.users.filter(({ user }) => only === undefined || user === only);
  tellProblems(session, file, mapping, count);
  if (users.length === 0) {
    throw new CommandError('ERR_NO_FILE', `${file} has no key${only === undefined ? '' : ` of ${only}`}`);
  }
  for (const { user, publicIds } of users) {
    await importKeys(session, user, publicIds, count);
  }
}

function readAuthfile(file: string): string {
  const read = readRootFile(file, MAX_AUTHFILE_BYTES);
  if ('why' in read) {
    throw new CommandError('ERR_NO_FILE', `${file} cannot be used: ${read.why}`);
  }
  return read.text;
}

async function importOwn(
  session: Session,
  files: UserFiles,
  entry: PasswdEntry,
  all: boolean,
  count: Count,
): Promise<void> {
  const { output } = session;
  let text: string | undefined;
  let path: string;
  try {
    const file = fileOf(USER_MAPPING, entry, entry);
    path = file.path;
    text = (await files.read(file))?.contents.toString('latin1');
  } catch (error) {
    if (!(error instanceof UserFileError)) {
      throw error;
    }
    output.note(`${entry.name}: ${error.message}`);
    count.failed += 1;
    return;
  }
  if (text === undefined) {
    if (!all) {
      throw new CommandError('ERR_NO_FILE', `${entry.name}: there is no ${path}`);
    }
    return;
  }
  const mapping = parseMapping(text);
  tellProblems(session, path, mapping, count);
  for (const { user, publicIds } of mapping.users) {
    if (user === entry.name) {
      await importKeys(session, user, publicIds, count);
    } else {
      output.note(`${path}: a line names ${JSON.stringify(user)}: it has no effect in this file`);
    }
  }
}

function tellProblems({ output }: Session, file: string, { problems }: Mapping, count: Count): void {
  for (const { line, what } of problems) {
    output.note(`${file}: line ${line}: ${what}`);
    count.failed += 1;
  }
}

/** Refusals after which going on with other users is useless. */
const FINAL = new Set(['ERR_DAEMON', 'ERR_NOT_ROOT', 'ERR_NO_SUCH_REQUEST']);

async function importKeys(
  session: Session,
  user: string,
  publicIds: readonly string[],
  count: Count,
): Promise<void> {
  const daemon = session.daemon();
  try {
    const { factors } = await daemon.ask<UserView>('GET', ['users', user]);
    const present = new Set(factors.map(({ publicId }) => publicId));
    for (const publicId of publicIds) {
      if (present.has(publicId)) {
        count.present += 1;
        continue;
      }
      const changes = [{ do: 'add', factor: { kind: 'yubikey', publicId } }];
      const { added } = await daemon.ask<Changed>('POST', ['users', user, 'changes'], { changes });
      for (const { factor } of added) {
        count.keys.push({ user, factor });
        if (!count.json) {
          session.output.line(
            `${user}: YubiKey ${factor.name} (${factor.id}), whose OTPs begin with ${publicId}`,
          );
        }
      }
      count.added += 1;
    }
  } catch (error) {
    if (!(error instanceof CommandError) || FINAL.has(error.code)) {
      throw error;
    }
    session.output.note(`${user}: ${error.message}`);
    count.failed += 1;
  }
}
