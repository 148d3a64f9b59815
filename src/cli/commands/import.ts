import { Option, type Command } from 'commander';
import type { PasswdEntry } from '../../host/addon.ts';
import { MAX_PERIOD } from '../../factors/totp.ts';
import { CommandError } from '../control-client.ts';
import { examples } from '../examples.ts';
import { importUser, type ImportResult } from '../import-user.ts';
import { reportProgress } from '../progress.ts';
import type { Session } from '../session.ts';
import { USUAL_FILE, UserFiles } from '../user-files.ts';
import { listedUsers, userNamed } from '../users.ts';
import { importTokens } from './import-tokens.ts';
import { secondsFrom } from './seconds.ts';

const ROOT_UID = 0;
const importedPeriod = secondsFrom(1, MAX_PERIOD);

interface ImportOptions {
  readonly all?: true;
  readonly from: string;
  readonly as?: string;
  readonly replace?: true;
  readonly json?: true;
  readonly keys?: string;
  readonly name?: string;
  readonly digits?: string;
  readonly period?: number;
}

/**
 * `import [USER]`, `import --all`: takes files of pam_google_authenticator into the store. `import --keys`: otpauth URIs and keys of Proxmox.
 *
 * @param program - where the command is added
 * @param session - connection and output
 */
export function importCommand(program: Command, session: Session): void {
  program
    .command('import')
    .description(
      "Take a user's file of pam_google_authenticator, or otpauth:// URIs and keys, into the store; the phone goes on as it is",
    )
    .argument('[user]', 'whose; yours when left out')
    .option('--all', 'of every user of this machine who has one')
    .option('--from <file>', "where it is, as the module's option secret= says it", USUAL_FILE)
    .option(
      '--as <user>',
      "who reads and renames it, as the module's option user= says it: the user when left out",
    )
    .option('--replace', 'in place of a file with another secret that was imported before')
    .addOption(
      new Option(
        '--keys <file>',
        'in place of that, otpauth:// URIs and keys of Proxmox (oathkeygen) from a file, one in a line; - is the standard input',
      ).conflicts(['all', 'as', 'replace']),
    )
    .option('-n, --name <name>', 'with --keys: a name for the device, if it is one')
    .addOption(new Option('--digits <number>', 'with --keys: what keys do not say').choices(['6', '7', '8']))
    .option('--period <seconds>', 'with --keys: what keys do not say, 1 to 300', importedPeriod)
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      examples(
        'pve-google-authenticator import',
        'sudo pve-google-authenticator import --all',
        'pve-google-authenticator import --keys - < keys.txt',
        'sudo pve-google-authenticator import alice --keys keys.txt',
      ),
    )
    .action(async (user: string | undefined, options: ImportOptions, command: Command) => {
      const { keys, name, digits, period, json } = options;
      if (keys !== undefined) {
        if (command.getOptionValueSource('from') === 'cli') {
          command.error('error: either --from or --keys can be given');
        }
        const length = digits === undefined ? undefined : (Number(digits) as 6 | 7 | 8);
        await importTokens(session, user ?? session.self(), { keys, name, digits: length, period, json });
        return;
      }
      if (name !== undefined || digits !== undefined || period !== undefined) {
        command.error('error: --name, --digits and --period go with --keys');
      }
      if (options.all === true) {
        if (user !== undefined) {
          command.error('error: either a user or --all can be given');
        }
        if (process.geteuid?.() !== ROOT_UID) {
          throw new CommandError('ERR_NOT_ROOT', 'Only root may do that: try again with sudo');
        }
      }
      const users = options.all === true ? await listedUsers() : [await userNamed(user ?? session.self())];
      await importAll(session, users, options);
    });
}

async function importAll(
  session: Session,
  users: readonly PasswdEntry[],
  options: ImportOptions,
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
          `${user}: others than ${user} could read the file: if one may have, remove the factor and add a new one`,
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

function conclude({ output }: Session, results: readonly ImportResult[], { all, json }: ImportOptions): void {
  const count = (kind: ImportResult['result']): number =>
    results.filter(({ result }) => result === kind).length;
  const [imported, failed, none] = [count('imported'), count('failed'), count('no-file')];
  if (all === true && json !== true) {
    output.line(`${imported} imported, ${failed} failed, ${none} users have no such file.`);
  }
  if (failed > 0) {
    throw new CommandError(
      'ERR_IMPORT',
      'What failed was not imported, and its file is as it was unless a line above says otherwise',
    );
  }
  if (all === undefined && none > 0) {
    throw new CommandError('ERR_NO_FILE', 'Nothing was imported');
  }
}
