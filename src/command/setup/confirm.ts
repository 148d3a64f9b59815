import { LOOK_AHEAD, matchHotp, type Hotp } from '../../factors/hotp.ts';
import { DEFAULT_WINDOW, matchTotp, type Totp } from '../../factors/totp.ts';
import type { Session } from '../session/session.ts';
import { clockRemark } from './clock-remark.ts';

const SKIP = '-1';

/** The time step or counter of the code that the phone showed; undefined: skipped. */
export type Confirmed = number | undefined;

/** Finds the step or counter of a code, typed without blanks; undefined if it is wrong. */
export type FindCode = (factor: Totp | Hotp, code: string, now: number) => number | undefined;

/**
 * Asks for a code, to be sure that the phone has the secret. Never shows the right code.
 *
 * @param session - who is asked, and what time it is
 * @param factor - the new factor
 * @param showAgain - shows the key once more
 * @param find - finds the code; by default as a login does
 * @returns the step or counter of the code
 * @throws NoAnswerError when there is no answer
 */
export async function confirmCode(
  session: Pick<Session, 'questions' | 'output' | 'now'>,
  factor: Totp | Hotp,
  showAgain: () => void,
  find: FindCode = asLogin,
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
    const digits = typed.replaceAll(/[\s-]/g, '');
    const code = Buffer.from(digits, 'latin1');
    const now = session.now();
    const found = find(factor, digits, now);
    if (found !== undefined) {
      output.note('Code confirmed.');
      return found;
    }
    output.note(reasonOf(factor, code, now));
  }
}

function asLogin(factor: Totp | Hotp, typed: string, now: number): number | undefined {
  const code = Buffer.from(typed, 'latin1');
  return 'period' in factor
    ? matchTotp({ ...factor, window: DEFAULT_WINDOW }, code, now)
    : matchHotp(factor, code, factor.counter, LOOK_AHEAD);
}

function reasonOf(factor: Totp | Hotp, code: Buffer, now: number): string {
  if (code.length !== factor.digits || !/^\d+$/.test(code.toString('latin1'))) {
    return `A code has ${factor.digits} digits. Try again.`;
  }
  const remark = 'period' in factor ? clockRemark(factor, code, now) : undefined;
  return remark ?? 'Code incorrect. Try again.';
}
