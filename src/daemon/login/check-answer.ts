import type { LoginAttempt } from '../attempts/attempts.ts';
import type { Enrolment, Rejection, Verification } from '../enrolments/enrolment.ts';
import { NOT_RECORDED } from '../enrolments/store/store-enrolment.ts';
import type { CodeShape, TypedCode } from '../../factors/code-shape.ts';
import { committed, resultOf, type Steps } from './steps.ts';
import { untilNextLine } from './time-grid.ts';

/** The result of an answer. */
export type CheckedAnswer =
  /** There were too many tries, so the answer was not checked. */
  | { readonly kind: 'held-back' }
  | {
      readonly kind: 'checked';
      readonly verification: Verification;
      /** The reading that was right. */
      readonly right: TypedCode | undefined;
    };

/** The clocks of a check. */
export interface CheckClocks {
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** A clock in milliseconds that never jumps. */
  readonly monotonic: () => number;
  /** Wrong answers leave on a grid of so many milliseconds, so that their time tells nothing about the user. */
  readonly rejectGridMs?: number;
  /** Waits for so many microseconds, as precisely as can be. */
  readonly sleep: (microseconds: number) => Promise<void>;
}

/** Guessable codes are counted; those of 64 bits and more cannot be guessed. */
const GUESSABLE: ReadonlySet<CodeShape['class']> = new Set(['digits']);

/** A code of another time is a guess, too, because there are many other times. */
const MISSES: ReadonlySet<Rejection> = new Set(['wrong-code', 'clock-differs']);

/**
 * Checks an answer, with counting and throttling, and uses the code up.
 *
 * @param enrolment - whose factors
 * @param attempt - of this login or request
 * @param readings - the answer, read as each shape that fits; at least one
 * @param clocks - the clocks
 * @param more - whether the person is asked again if it is wrong
 * @returns the result
 */
export function* checkAnswer(
  enrolment: Enrolment,
  attempt: LoginAttempt,
  readings: readonly TypedCode[],
  clocks: CheckClocks,
  more = false,
): Steps<CheckedAnswer> {
  const begun = clocks.monotonic();
  const unguessable = readings.filter(({ shape }) => !GUESSABLE.has(shape.class));
  const guess = unguessable.length < readings.length;
  const allowed = guess && !attempt.admit() ? unguessable : readings;
  if (allowed.length === 0) {
    yield* nextLine(begun, clocks);
    return { kind: 'held-back' };
  }
  const verification = yield* verified(enrolment, allowed, clocks.now(), more);
  if (verification.kind === 'accepted') {
    attempt.succeeded();
    return { kind: 'checked', verification, right: allowed[verification.reading] };
  }
  if (guess && verification.kind === 'rejected' && MISSES.has(verification.reason)) {
    attempt.failed();
  }
  yield* nextLine(begun, clocks);
  return { kind: 'checked', verification, right: undefined };
}

/** Nothing is accepted before its use is durable. */
function* verified(
  enrolment: Enrolment,
  readings: readonly TypedCode[],
  now: number,
  more: boolean,
): Steps<Verification> {
  const checked = yield* resultOf(enrolment.verify(readings, now, more));
  if (checked.kind !== 'claimed') {
    return checked;
  }
  if ((yield* committed(checked.claim)) !== 'advanced') {
    return { kind: 'unavailable', factor: checked.then.factor, why: NOT_RECORDED };
  }
  checked.accepted?.();
  return checked.then;
}

function* nextLine(begun: number, { monotonic, sleep, rejectGridMs }: CheckClocks): Steps<void> {
  yield* resultOf(sleep(untilNextLine(begun, monotonic(), rejectGridMs)));
}
