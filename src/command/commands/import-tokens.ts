import type { Changed, NewFactor } from '../../contracts/control-requests.ts';
import { CommandError } from '../session/control-client.ts';
import { change, checkChange } from '../session/ask-with-proof.ts';
import { NoAnswerError } from '../terminal/questions.ts';
import type { Session } from '../session/session.ts';
import { secretLines } from '../secrets/secret-lines.ts';
import { readTokenLines, type KeySettings } from '../secrets/token-lines.ts';

/** The options of `import --keys`. */
export interface TokenImport extends KeySettings {
  /** A file, or `-`: the standard input. */
  readonly keys: string;
  /** Name of the factor, if there is only one. */
  readonly name?: string | undefined;
  readonly json?: true | undefined;
}

/** The largest input: as many URIs as a user can have factors, with room for comments. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * `import --keys`: imports phones and tokens that are enrolled elsewhere: all lines, or none.
 *
 * @param session - connection, questions and output
 * @param user - whose they will be
 * @param wanted - where the lines are
 * @throws CommandError when a line cannot be read, or the daemon refuses
 */
export async function importTokens(session: Session, user: string, wanted: TokenImport): Promise<void> {
  const { keys, name, account, digits, period } = wanted;
  if (keys === '-' && session.questions.interactive) {
    // Checked before the keys are typed.
    await checkChange(session, user, [{ do: 'add', factor: { kind: 'totp', name } }]);
  }
  const read =
    keys === '-'
      ? { lines: await typedLines(session), remark: undefined }
      : secretLines(keys, MAX_FILE_BYTES);
  const factors = readTokenLines(read.lines, { account, digits, period });
  if (name !== undefined && factors.length > 1) {
    throw new CommandError(
      'ERR_BAD_LINES',
      `One name cannot be given to ${factors.length} factors: leave --name out, and rename them afterwards. Nothing was imported.`,
    );
  }
  const changed = await change(
    session,
    user,
    factors.map((factor) => ({ do: 'add', factor: { ...factor, name } as NewFactor })),
  );
  show(session, changed, wanted);
  if (read.remark !== undefined) {
    session.output.note(read.remark);
  }
}

function show({ output }: Session, { added }: Changed, { json }: TokenImport): void {
  if (json === true) {
    // Without the secrets: who imports them has them.
    output.line(JSON.stringify(added.map(({ user, factor }) => ({ user, factor }))));
    return;
  }
  for (const { user, factor } of added) {
    output.line(`${user}: imported ${factor.name} (${factor.kind}, ${factor.id})`);
  }
}

/** Reads up to an empty line, or to the end. A code as a proof may follow the empty line. */
async function typedLines({ questions, output }: Session): Promise<string[]> {
  if (questions.interactive) {
    output.note('Type otpauth:// URIs or keys, one on each line. An empty line ends the list:');
  }
  const lines: string[] = [];
  try {
    for (let line = await questions.ask(''); line.trim() !== ''; line = await questions.ask('')) {
      lines.push(line);
    }
  } catch (error) {
    if (!(error instanceof NoAnswerError) || error.reason === 'interrupted') {
      throw error;
    }
  }
  return lines;
}
