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

/** What was proven. `nothing-to-prove`: the account has no factor that can be looked up. */
export type Proven =
  | {
      readonly kind: 'proven';
      /** Which factors: `guessedAt` of their enrolment. */
      readonly guessedAt: string | undefined;
    }
  | { readonly kind: 'nothing-to-prove' };

/** No login comes from there: guesses here have a count of their own, under the ceiling for strangers. */
const ORIGIN = 'control';
const PROOF_NEEDED = 'ERR_PROOF_NEEDED';

/**
 * Lets a change of an account's factors go on only for somebody who has one of them, so that a program that runs as the user
 * cannot exchange the second factor. The look-up, the check, the counting and the using up are those of a login.
 *
 * @param ports - as a login needs them
 * @param account - whose factors
 * @param code - what was typed; undefined: nothing yet
 * @returns whether there was something to prove
 * @throws ControlError when it is not proven
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
        'What you have enrolled cannot be used: your administrator can put it right',
      );
    case 'failed':
      ports.log.audit('error', `The factors of ${loggable(account.name)} cannot be looked up`, {
        why: lookup.why,
      });
      throw new ControlError(
        503,
        'ERR_UNAVAILABLE',
        'It cannot be found out right now what you have enrolled: try again later',
      );
    case 'enrolled':
      await check(ports, account, lookup.enrolment, code);
      return { kind: 'proven', guessedAt: lookup.enrolment.guessedAt };
  }
}

/**
 * Whether an account has something to prove with, for a change that is to be announced.
 *
 * @param ports - as a login needs them
 * @param account - whose factors
 * @returns whether {@link prove} will want a code
 * @throws ControlError where no code would do
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
 * Refuses what only somebody with a factor may do, whatever the account has.
 *
 * @param outcome - of {@link prove}; afterwards it is known to be proven
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
      `You have no factor here that could show it is you. Ask an administrator to run: sudo pve-google-authenticator unlock --user ${name}`,
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
      'You have a factor already: a code of it, or a recovery code, is needed for that',
    );
  }
  const readings = readingsOf(code, enrolment.shapes);
  if (readings.length === 0) {
    throw new ControlError(403, 'ERR_WRONG_CODE', 'That is not a code of a factor that you have');
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
