import { beforeEach, describe, expect, it } from 'vitest';
import type { LoginAttempt } from '../../../../src/daemon/attempts/attempts.ts';
import type { Enrolment, Verification } from '../../../../src/daemon/enrolments/enrolment.ts';
import type { CodeShape, TypedCode } from '../../../../src/factors/code-shape.ts';
import { checkAnswer, type CheckedAnswer } from '../../../../src/daemon/login/check-answer.ts';
import { run } from '../../../../src/daemon/login/steps.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';

const DIGITS: CodeShape = { class: 'digits', length: 6 };
const RECOVERY: CodeShape = { class: 'recovery', length: 16 };
const TOUCH: CodeShape = { class: 'modhex', length: 44 };
const GRID_MS = 50;
const TAKEN_MS = 12;

/** The events of the attempt, in order. */
let course: string[];
let clock: number;

beforeEach(() => {
  course = [];
  clock = 0;
});

/** Checks an answer of these shapes, with this result of the enrolment. */
function check(
  shapes: readonly CodeShape[],
  verification: Verification,
  admitted = true,
): Promise<CheckedAnswer> {
  const attempt: LoginAttempt = {
    admit: () => {
      course.push('admit');
      return admitted;
    },
    succeeded: () => void course.push('succeeded'),
    failed: () => void course.push('failed'),
  };
  const enrolment: Enrolment = {
    shapes,
    verify(readings) {
      course.push(`verify ${readings.map(({ shape }) => shape.class).join()}`);
      clock += TAKEN_MS;
      return Promise.resolve(verification);
    },
  };
  const readings: TypedCode[] = shapes.map((shape) => ({
    shape,
    text: Buffer.from('x'.repeat(shape.length)),
  }));
  const clocks = {
    now: () => 0,
    monotonic: () => clock,
    rejectGridMs: GRID_MS,
    sleep: (microseconds: number) => {
      course.push(`sleep ${microseconds / 1000} ms`);
      return Promise.resolve();
    },
  };
  return run(checkAnswer(enrolment, attempt, readings, clocks), new InMemoryLedger());
}

const ACCEPTED: Verification = { kind: 'accepted', factor: 'totp:phone', reading: 0 };
const rejected = (reason: 'wrong-code' | 'clock-differs' | 'code-already-used'): Verification => ({
  kind: 'rejected',
  reason,
});

describe('an answer', () => {
  it('that is right counts as a success, and waits for nothing', async () => {
    expect(await check([DIGITS], ACCEPTED)).toMatchObject({ kind: 'checked', right: { shape: DIGITS } });
    expect(course).toEqual(['admit', 'verify digits', 'succeeded']);
  });

  it.each(['wrong-code', 'clock-differs'] as const)(
    'that is a guess and %s counts as a failure',
    async (reason) => {
      await check([DIGITS], rejected(reason));
      expect(course).toEqual(['admit', 'verify digits', 'failed', `sleep ${GRID_MS - TAKEN_MS} ms`]);
    },
  );

  it('that was right before is no failure', async () => {
    await check([DIGITS], rejected('code-already-used'));
    expect(course).not.toContain('failed');
  });

  it('that could not be checked is no failure', async () => {
    await check([DIGITS], { kind: 'unavailable', factor: 'totp:phone', why: 'disk' });
    expect(course).not.toContain('failed');
  });

  it.each([RECOVERY, TOUCH])(
    'that cannot be guessed is never counted, even if wrong: $class',
    async (shape) => {
      await check([shape], rejected('wrong-code'));
      expect(course).toEqual([`verify ${shape.class}`, `sleep ${GRID_MS - TAKEN_MS} ms`]);
    },
  );

  it('is not checked after too many tries, and is answered on the time grid', async () => {
    expect(await check([DIGITS], ACCEPTED, false)).toEqual({ kind: 'held-back' });
    expect(course).toEqual(['admit', `sleep ${GRID_MS} ms`]);
  });

  it('is looked at after too many tries as far as nobody can guess it', async () => {
    await check([DIGITS, RECOVERY], rejected('wrong-code'), false);
    expect(course[1]).toBe('verify recovery');
  });
});
