import { LOOK_AHEAD, matchHotp, type Hotp } from '../../factors/hotp.ts';
import { DEFAULT_WINDOW, matchTotp, type Totp } from '../../factors/totp.ts';
import type { Session } from '../session.ts';
import { clockRemark } from './clock-remark.ts';

const SKIP = '-1';

/** The time step or counter of the code that the phone showed; undefined: skipped. */
export type Confirmed = number | undefined;

/**
 * Has the person type a code, so that the phone is known to have the secret. What would have been right is never said.
 *
 * @param session - who is asked, and what time it is
 * @param factor - the new factor
 * @param showAgain - shows the key once more
 * @returns the step or counter of the code
 * @throws NoAnswerError when there is no answer
 */
export async function confirmCode(
  session: Pick<Session, 'questions' | 'output' | 'now'>,
  factor: Totp | Hotp,
  showAgain: () => void,
): Promise<Confirmed> {
  const { questions, output } = session;
  for (;;) {
    const typed = (await questions.ask('Code from your app (Enter shows the key again, -1 skips): ')).trim();
    if (typed.startsWith('-')) {
      output.note(typed === SKIP ? 'Code confirmation skipped.' : `Type ${SKIP} to skip, or a code.`);
      if (typed === SKIP) {
        return undefined;
      }
      continue;
    }
    if (typed === '') {
      showAgain();
      continue;
    }
    const code = Buffer.from(typed.replaceAll(/[\s-]/g, ''), 'latin1');
    const now = session.now();
    const found =
      'period' in factor ? stepOf(factor, code, now) : matchHotp(factor, code, factor.counter, LOOK_AHEAD);
    if (found !== undefined) {
      output.note('Code confirmed.');
      return found;
    }
    output.note(reasonOf(factor, code, now));
  }
}

function stepOf(factor: Totp, code: Buffer, now: number): number | undefined {
  return matchTotp({ ...factor, window: DEFAULT_WINDOW }, code, now);
}

function reasonOf(factor: Totp | Hotp, code: Buffer, now: number): string {
  if (code.length !== factor.digits || !/^\d+$/.test(code.toString('latin1'))) {
    return `A code has ${factor.digits} digits. Try again.`;
  }
  const remark = 'period' in factor ? clockRemark(factor, code, now) : undefined;
  return remark ?? 'Code incorrect. Try again.';
}
