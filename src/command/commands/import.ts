import { Option, type Command } from 'commander';
import { MAX_PERIOD } from '../../factors/totp.ts';
import { CommandError } from '../session/control-client.ts';
import { askBeforeLoss, yesOption, type Agreement } from '../session/ask-before-loss.ts';
import { examples } from './examples.ts';
import type { Session } from '../session/session.ts';
import { USUAL_FILE } from '../secrets/user-files.ts';
import { listedUsers, userNamed } from '../session/users.ts';
import { userOption, type ForUser } from '../session/whose.ts';
import { importFiles, type FileImport } from './import-files.ts';
import { importOathUsers } from './import-oath-users.ts';
import { importTokens } from './import-tokens.ts';
import { secondsFrom } from './seconds.ts';

const ROOT_UID = 0;
const importedPeriod = secondsFrom(1, MAX_PERIOD);

interface ImportOptions extends FileImport, ForUser, Agreement {
  readonly keys?: string;
  readonly oathUsers?: string;
  readonly name?: string;
  readonly account?: string;
  readonly digits?: string;
  readonly period?: number;
}

/**
 * `import`, `import --all`: takes files of pam_google_authenticator into the store. `import --keys`: otpauth URIs, exports
 * of the app and keys of Proxmox. `import --oath-users`: the users of pam_oath.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function importCommand(program: Command, session: Session): void {
  program
    .command('import')
    .description('Import factors of google-authenticator, pam_oath and apps')
    .addOption(userOption())
    .option('--all', 'import the file of every user who has one')
    .option('--from <file>', "read this file, as in the module's option secret=", USUAL_FILE)
    .option(
      '--as <user>',
      "read and rename it as this user, as in the module's option user= (default: its owner)",
    )
    .option('--replace', 'replace an earlier import that has another secret')
    .addOption(
      new Option(
        '--keys <file>',
        'import otpauth:// URIs, exports of Google Authenticator and keys of Proxmox (oathkeygen), one on each line; - reads standard input',
      ).conflicts(['all', 'as', 'replace', 'oathUsers']),
    )
    .addOption(
      new Option('--oath-users <file>', "import all users of pam_oath's users file").conflicts([
        'all',
        'as',
        'replace',
      ]),
    )
    .option('--account <text>', 'with --keys: import only accounts whose name contains this text')
    .option('-n, --name <name>', 'with --keys: name the device, if there is only one')
    .addOption(
      new Option('--digits <number>', 'with --keys: length of the codes, if the key does not say it').choices(
        ['6', '7', '8'],
      ),
    )
    .option('--period <seconds>', 'with --keys: 1 to 300, if the key does not say it', importedPeriod)
    .option('--json', 'print the result as JSON')
    .addOption(yesOption())
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator import',
        'sudo pve-google-authenticator import --all',
        'pve-google-authenticator import --keys - < keys.txt',
        'sudo pve-google-authenticator import --user alice --keys keys.txt',
        'sudo pve-google-authenticator import --oath-users /etc/users.oath',
      ),
    )
    .action((options: ImportOptions, command: Command) => run(session, options, command));
}

async function run(session: Session, options: ImportOptions, command: Command): Promise<void> {
  const { user, keys, oathUsers, all, name, account, digits, period, json } = options;
  const wrong = misfit(options, command.getOptionValueSource('from') === 'cli');
  if (wrong !== undefined) {
    command.error(`error: ${wrong}`);
  }
  if ((all ?? oathUsers) !== undefined && process.geteuid?.() !== ROOT_UID) {
    throw new CommandError('ERR_NOT_ROOT', 'Only root may do that: try again with sudo');
  }
  if (oathUsers !== undefined) {
    await importOathUsers(session, oathUsers, json === true);
  } else if (keys !== undefined) {
    const length = digits === undefined ? undefined : (Number(digits) as 6 | 7 | 8);
    const wanted = { keys, name, account, digits: length, period, json };
    await importTokens(session, user ?? session.self(), wanted);
  } else {
    const users = all === true ? await listedUsers() : [await userNamed(user ?? session.self())];
    if (options.replace === true) {
      await askBeforeLoss(
        session,
        options,
        'If another file was imported before, its secret and scratch codes stop working.',
      );
    }
    await importFiles(session, users, options);
  }
}

/** Which options contradict each other. */
function misfit(options: ImportOptions, fromGiven: boolean): string | undefined {
  const { user, keys, oathUsers, all, name, account, digits, period } = options;
  if (fromGiven && (keys ?? oathUsers) !== undefined) {
    return `--from does not go with ${keys === undefined ? '--oath-users' : '--keys'}`;
  }
  if (keys === undefined && (name ?? account ?? digits ?? period) !== undefined) {
    return '--name, --account, --digits and --period go with --keys';
  }
  if (user !== undefined && (all ?? oathUsers) !== undefined) {
    return `--user does not go with ${all === undefined ? '--oath-users' : '--all'}`;
  }
  return undefined;
}
