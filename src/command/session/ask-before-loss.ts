import { Option } from 'commander';
import { CommandError } from './control-client.ts';
import { yesOrNo } from '../terminal/questions.ts';
import type { Session } from './session.ts';

/** The option of commands that remove something permanently. */
export interface Agreement {
  /** Nobody is asked. */
  readonly yes?: true;
}

/** The code of the error when nobody could be asked. It has an exit status of its own. */
export const NOT_AGREED = 'ERR_NOT_AGREED';

/**
 * The option by which a script agrees.
 *
 * @returns the option
 */
export function yesOption(): Option {
  return new Option('-y, --yes', 'do not ask first: for scripts');
}

/**
 * Asks root before something is lost. Everybody else needs a code first; root needs none, so a slip would be enough.
 *
 * @param session - who is asked
 * @param options - what the command line says
 * @param what - the loss, in one sentence
 * @throws CommandError when root says no, or there is no terminal to ask at
 * @throws NoAnswerError when root cancels
 */
export async function askBeforeLoss(
  { root, questions, output }: Pick<Session, 'root' | 'questions' | 'output'>,
  { yes }: Agreement,
  what: string,
): Promise<void> {
  if (!root || yes === true) {
    return;
  }
  if (!questions.interactive) {
    throw new CommandError(
      NOT_AGREED,
      `${what}\nNothing was changed: there is no terminal to ask at. To do it without a question, add --yes.`,
    );
  }
  output.note(what);
  if (!(await yesOrNo(questions, 'Go on?', false))) {
    throw new CommandError('ERR_DECLINED', 'Nothing was changed.');
  }
}
