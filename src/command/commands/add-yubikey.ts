import type { Command } from 'commander';
import type { NewFactor } from '../../contracts/control-requests.ts';
import { CommandError } from '../session/control-client.ts';
import { change, checkChange } from '../session/ask-with-proof.ts';
import { secretLines } from '../secrets/secret-lines.ts';
import type { Session } from '../session/session.ts';
import type { ForUser } from '../session/whose.ts';

interface AddYubikeyOptions extends ForUser {
  readonly name?: string;
  readonly secretsFrom?: string;
  readonly json?: true;
}

/** The largest secrets file: it has one line about one key, which is short. */
const MAX_SECRETS_BYTES = 4096;
/** A placeholder until the key is touched. No key is delivered with a public id of this length. */
const UNTOUCHED = 'uuuuuuuuuuuuuuuu';

/**
 * `add yubikey`: adds the YubiKey that is touched.
 *
 * @param subcommand - the command
 * @param session - connection, questions and output
 */
export function addYubikeyCommand(subcommand: Command, session: Session): void {
  subcommand
    .option('-n, --name <name>', 'name the key, for example blue')
    .option(
      '--secrets-from <file>',
      'check the key here, without a server; the file holds the line that ykman or yubikey-ksm wrote about it',
    )
    .option('--json', 'print the result as JSON')
    .action((options: AddYubikeyOptions) => run(session, options.user ?? session.self(), options));
}

async function run(session: Session, user: string, options: AddYubikeyOptions): Promise<void> {
  const read = options.secretsFrom === undefined ? undefined : readSecrets(options.secretsFrom);
  const { name } = options;
  const planned = read === undefined ? { publicId: UNTOUCHED } : { secrets: read.line };
  await checkChange(session, user, [{ do: 'add', factor: { kind: 'yubikey', name, ...planned } }]);
  const otp = await session.questions.ask('Touch the YubiKey: ');
  const factor: NewFactor = { kind: 'yubikey', name, otp, secrets: read?.line };
  const { added } = await change(session, user, [{ do: 'add', factor }]);
  for (const { factor: view } of added) {
    session.output.line(
      options.json === true
        ? JSON.stringify({ user, factor: view })
        : `YubiKey ${view.name} (${view.id}) was added for ${user}. Its OTPs begin with ${view.publicId ?? ''}.`,
    );
  }
  if (read !== undefined) {
    session.output.note(read.remark);
  }
}

/** Reads the secrets from a file, because everybody can see a command line. */
function readSecrets(file: string): { line: string; remark: string } {
  const { lines, remark } = secretLines(file, MAX_SECRETS_BYTES);
  const [line, another] = lines.filter((each) => !/^\s*(?:#.*)?$/.test(each));
  if (line === undefined || another !== undefined) {
    throw new CommandError(
      'ERR_SECRETS_FILE',
      `${file} must hold one line, about one YubiKey. Nothing was added.`,
    );
  }
  return { line, remark };
}
