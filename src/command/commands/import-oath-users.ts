import type { Changed } from '../../contracts/control-requests.ts';
import { timeStep } from '../../factors/totp.ts';
import { readOathUsers, type OathToken } from '../../formats/oath-users-file.ts';
import { CommandError } from '../session/control-client.ts';
import { reportProgress } from '../terminal/progress.ts';
import { change } from '../session/ask-with-proof.ts';
import { secretLines } from '../secrets/secret-lines.ts';
import type { Session } from '../session/session.ts';
import { importedFactor } from '../secrets/token-lines.ts';

/** The largest file: a hundred thousand users. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The result for one user. */
type Result =
  | { readonly user: string; readonly result: 'imported'; readonly added: Changed['added'] }
  | { readonly user: string; readonly result: 'failed'; readonly why: string };

/**
 * `import --oath-users`: imports the tokens of pam_oath's users file into the store, each with its position, so used codes stay
 * used. For each user it imports all tokens or none.
 *
 * @param session - connection and output; root's
 * @param path - the file
 * @param json - whether the result is printed as JSON
 * @throws CommandError when a line cannot be read (then nothing is imported), or the import of a user failed
 */
export async function importOathUsers(session: Session, path: string, json: boolean): Promise<void> {
  const { lines, remark } = secretLines(path, MAX_FILE_BYTES);
  const { tokens, problems } = readOathUsers(lines.join('\n'));
  if (problems.length > 0 || tokens.length === 0) {
    const wrong = problems.map(({ line, what }) => `${path}:${line}: ${what}`);
    throw new CommandError(
      'ERR_BAD_LINES',
      [...(wrong.length > 0 ? wrong : [`There is no token in ${path}.`]), 'Nothing was imported.'].join('\n'),
    );
  }
  const results: Result[] = [];
  const users = new Map<string, OathToken[]>();
  for (const token of tokens) {
    users.set(token.user, [...(users.get(token.user) ?? []), token]);
  }
  const progress = reportProgress(session.output, users.size);
  for (const [user, ofUser] of users) {
    const result = await importUser(session, user, ofUser);
    results.push(result);
    if (!json) {
      show(session, result, ofUser);
    }
    progress(results.length);
  }
  if (json) {
    session.output.line(JSON.stringify(results));
  }
  session.output.note(remark);
  if (results.some(({ result }) => result === 'failed')) {
    throw new CommandError('ERR_IMPORT', 'What failed was not imported');
  }
}

async function importUser(session: Session, user: string, tokens: readonly OathToken[]): Promise<Result> {
  try {
    const { added } = await change(
      session,
      user,
      tokens.map((token) => ({ do: 'add', factor: importedFactor(token.factor, usedStepOf(token)) })),
    );
    // Leaves out the secrets, which the importer has.
    return { user, result: 'imported', added: added.map((one) => ({ user: one.user, factor: one.factor })) };
  } catch (error) {
    if (error instanceof CommandError) {
      return { user, result: 'failed', why: error.message };
    }
    throw error;
  }
}

/** pam_oath accepts codes from far ahead of the clock. Steps that we would not accept need no mark. */
function usedStepOf({ factor, usedStep }: OathToken): number | undefined {
  return usedStep === undefined || !('period' in factor)
    ? undefined
    : Math.min(usedStep, timeStep(factor.period, Date.now()) + factor.window);
}

function show({ output }: Session, result: Result, tokens: readonly OathToken[]): void {
  if (result.result === 'failed') {
    output.note(`${result.user}: ${result.why}`);
    return;
  }
  for (const { user, factor } of result.added) {
    output.line(`${user}: imported ${factor.name} (${factor.kind}, ${factor.id})`);
  }
  if (tokens.some(({ pin }) => pin)) {
    output.note(`${result.user}: the PIN of pam_oath was not imported. Logins now ask for the code only`);
  }
}
