import type { Change, Changed, UserView } from '../../contracts/control-requests.ts';
import { CommandError } from './control-client.ts';
import type { Session } from './session.ts';

/** Refusals after which another code may work. */
const TRY_AGAIN = new Set(['ERR_WRONG_CODE', 'ERR_CODE_USED']);
const MAX_TRIES = 3;

/**
 * Sends a request that may need a proof. A code is asked for only if the daemon requires it: from enrolled users other than root.
 *
 * @param session - connection and questions
 * @param path - of the request
 * @param body - its body without the proof
 * @returns the answer
 * @throws CommandError when the daemon refuses
 * @throws NoAnswerError when nobody types a code
 */
export async function askWithProof<T>(
  session: Session,
  path: readonly string[],
  body: object = {},
): Promise<T> {
  const daemon = session.daemon();
  try {
    return await daemon.ask<T>('POST', path, body);
  } catch (error) {
    if (!(error instanceof CommandError && error.code === 'ERR_PROOF_NEEDED')) {
      throw error;
    }
    session.output.note(error.message.endsWith('.') ? error.message : `${error.message}.`);
  }
  for (let tries = 1; ; tries++) {
    const proof = (await session.questions.ask('Your code: ')).trim();
    try {
      return await daemon.ask<T>('POST', path, { ...body, proof });
    } catch (error) {
      const again = error instanceof CommandError && TRY_AGAIN.has(error.code);
      if (!again || !session.questions.interactive || tries >= MAX_TRIES) {
        throw error;
      }
      session.output.note(`${error.message}.`);
    }
  }
}

/**
 * Changes a user's factors: all changes, or none.
 *
 * @param session - connection and questions
 * @param user - whose
 * @param changes - what to change
 * @returns the result
 * @throws CommandError, NoAnswerError as {@link askWithProof}
 */
export function change(session: Session, user: string, changes: readonly Change[]): Promise<Changed> {
  return askWithProof<Changed>(session, ['users', user, 'changes'], { changes });
}

/**
 * Asks whether changes could be made, before a person is asked for anything. If a code of a present factor will be needed at the end, that
 * is announced now: the phone may be elsewhere.
 *
 * @param session - connection and output
 * @param user - whose
 * @param changes - the wanted changes, as far as they are known
 * @param silent - whether to print nothing
 * @returns what the user has now
 * @throws CommandError when the daemon would refuse them
 */
export async function checkChange(
  session: Session,
  user: string,
  changes: readonly Change[],
  silent = false,
): Promise<UserView> {
  const path = ['users', user, 'changes'];
  const { needsProof, view } = await session.daemon().ask<Changed>('POST', path, { changes, check: true });
  if (needsProof === true && !silent) {
    session.output.note(PROOF_AHEAD);
  }
  return view;
}

const PROOF_AHEAD =
  'You already have a factor: at the end you will need a code of it, or a recovery code. Have it ready.';
