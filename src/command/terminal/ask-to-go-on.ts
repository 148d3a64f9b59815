import { stillWaits, type Countdown } from './countdown.ts';
import { NoAnswerError, yesOrNo, type Questions } from './questions.ts';

/**
 * Asks whether `confirm` should continue.
 *
 * @param questions - who is asked
 * @param change - what waits to be confirmed
 * @throws NoAnswerError when the answer is no, or there is none; it says that the change still waits, until when, and what undoes it
 */
export async function askToGoOn(questions: Questions, change: Omit<Countdown, 'waits'>): Promise<void> {
  let reason: NoAnswerError['reason'] = 'interrupted';
  try {
    if (await yesOrNo(questions, 'Go on?', true)) {
      return;
    }
  } catch (error) {
    if (!(error instanceof NoAnswerError)) {
      throw error;
    }
    reason = error.reason;
  }
  throw new NoAnswerError(reason, ['Nothing is confirmed yet.', ...stillWaits(change)].join('\n'));
}
