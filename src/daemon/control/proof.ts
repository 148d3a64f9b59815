import type { Attempts } from '../attempts/attempts.ts';
import type { Account, Enrolment, EnrolmentSource, Verification } from '../enrolments/enrolment.ts';
import { readingsOf } from '../../factors/code-shape.ts';
import type { Claims } from '../ledger/ledger.ts';
import { loggable } from '../../log/escape.ts';
import type { Log } from '../../log/log.ts';
import { checkAnswer } from '../login/check-answer.ts';
import { run } from '../login/steps.ts';
import { ControlError } from './control-error.ts';

/** What a proof needs: the same as a login. */
export interface ProofPorts {
  readonly enrolments: EnrolmentSource;
  readonly attempts: Attempts;
  readonly ledger: Claims;
  readonly log: Log;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  /** Waits for so many microseconds, as precisely as can be. */
  readonly sleep: (microseconds: number) => Promise<void>;
}

/** The result of a proof. `nothing-to-prove`: the look-up found no factor of the account. */
export type Proven =
  | {
      readonly kind: 'proven';
      /** Which factors: `guessedAt` of their enrolment. */
      readonly guessedAt: string | undefined;
    }
  | { readonly kind: 'nothing-to-prove' };

/** No login has this origin, so guesses here have their own count, below the limit for strangers. */
const ORIGIN = 'control';
const PROOF_NEEDED = 'ERR_PROOF_NEEDED';

/**
 * Allows a change of an account's factors only to somebody who has one of them. So a program that runs as the user cannot replace
 * the second factor. Look-up, check, counting and using up are the same as at a login.
 *
 * @param ports - as a login needs them
 * @param account - whose factors
 * @param code - the typed code, or undefined before the person was asked
 * @returns whether there was something to prove
 * @throws ControlError when the proof fails
 */
export async function prove(ports: ProofPorts, account: Account, code: string | undefined): Promise<Proven> {
  const lookup = await ports.enrolments.lookUp(account);
  switch (lookup.kind) {
    case 'absent':
      return { kind: 'nothing-to-prove' };
    case 'blocked':
      ports.log.audit('error', `The factors of ${loggable(account.name)} cannot be changed`, {
        why: lookup.why,
      });
      throw new ControlError(
        403,
        'ERR_UNUSABLE',
        'Your factors cannot be used: ask your administrator to repair them',
      );
    case 'failed':
      ports.log.audit('error', `The factors of ${loggable(account.name)} cannot be looked up`, {
        why: lookup.why,
      });
      throw new ControlError(
        503,
        'ERR_UNAVAILABLE',
        'Your factors cannot be read right now: try again later',
      );
    case 'enrolled':
      await check(ports, account, lookup.enrolment, code);
      return { kind: 'proven', guessedAt: lookup.enrolment.guessedAt };
  }
}

/**
 * Whether an account has a factor to prove with. For a change that is only announced.
 *
 * @param ports - as a login needs them
 * @param account - whose factors
 * @returns whether {@link prove} will need a code
 * @throws ControlError when no code would be enough
 */
export async function needsProof(ports: ProofPorts, account: Account): Promise<boolean> {
  try {
    return (await prove(ports, account, undefined)).kind === 'proven';
  } catch (error) {
    if (error instanceof ControlError && error.code === PROOF_NEEDED) {
      return true;
    }
    throw error;
  }
}

/**
 * Refuses an action that always needs a proof, even if the account has no factor.
 *
 * @param outcome - the outcome of {@link prove}
 * @param account - whose factors
 * @throws ControlError when there was nothing to prove
 */
export function assertProven(
  outcome: Proven,
  { name }: Account,
): asserts outcome is Extract<Proven, { kind: 'proven' }> {
  if (outcome.kind !== 'proven') {
    throw new ControlError(
      403,
      'ERR_NOTHING_TO_PROVE',
      `No factor here can prove who you are. Ask an administrator to run: sudo pve-google-authenticator unlock --user ${name}`,
    );
  }
}

async function check(
  ports: ProofPorts,
  account: Account,
  enrolment: Enrolment,
  code: string | undefined,
): Promise<void> {
  if (code === undefined) {
    throw new ControlError(
      401,
      PROOF_NEEDED,
      'You already have a factor: this needs a code of it, or a recovery code',
    );
  }
  const readings = readingsOf(code, enrolment.shapes);
  if (readings.length === 0) {
    throw new ControlError(403, 'ERR_WRONG_CODE', 'None of your factors makes such codes');
  }
  const subject = {
    user: account.name,
    exists: true,
    source: enrolment.guessedAt,
    origin: ORIGIN,
    alwaysStranger: true,
  } as const;
  const attempt = ports.attempts.begin(subject, enrolment.limits);
  try {
    const answer = await run(checkAnswer(enrolment, attempt, readings, ports), ports.ledger);
    if (answer.kind === 'held-back') {
      report(ports, account, 'too-many-tries');
      throw new ControlError(
        429,
        'ERR_TOO_MANY_TRIES',
        'Too many tries. Please wait a moment, then try again.',
      );
    }
    judge(ports, account, answer.verification);
  } finally {
    readings.forEach(({ text }) => text.fill(0));
  }
}

function judge(ports: ProofPorts, account: Account, verification: Verification): void {
  switch (verification.kind) {
    case 'accepted':
      ports.log.audit('info', `Accepted verification code for ${loggable(account.name)}`, {
        service: ORIGIN,
        factor: verification.factor,
      });
      return;
    case 'rejected':
      report(ports, account, verification.reason);
      throw verification.reason === 'code-already-used'
        ? new ControlError(403, 'ERR_CODE_USED', 'This code was used before: wait for the next one')
        : new ControlError(403, 'ERR_WRONG_CODE', 'This code is wrong');
    case 'unavailable':
      report(ports, account, verification.why);
      throw new ControlError(
        503,
        'ERR_UNAVAILABLE',
        'Your code cannot be checked right now: try again later, or tell your administrator',
      );
  }
}

function report({ log }: ProofPorts, { name }: Account, reason: string): void {
  log.audit('notice', `Invalid verification code for ${loggable(name)}`, { service: ORIGIN, reason });
}
