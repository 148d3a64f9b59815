import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verification } from '../../../../src/daemon/enrolments/enrolment.ts';
import {
  LOGIN_START,
  nextStep,
  type Ending,
  type LoginEvent,
  type LoginStep,
  type LoginTerms,
  type Question,
} from '../../../../src/daemon/login/login.ts';
import { DEFAULT_OPTIONS } from '../../../../src/config/module-options.ts';
import { TEXTS } from '../../../../src/daemon/login/texts.ts';

const SHAPES = [
  { class: 'digits', length: 6 },
  { class: 'digits', length: 8 },
] as const;

const DEFAULTS: LoginTerms = {
  options: DEFAULT_OPTIONS,
  standing: 'enrolled',
  shapes: SHAPES,
  maySkip: true,
  quiet: false,
};

const terms: fc.Arbitrary<LoginTerms> = fc.record({
  options: fc.record({
    nullok: fc.boolean(),
    forwardPass: fc.boolean(),
    stacked: fc.constantFrom('ignore', 'try', 'use'),
    echo: fc.boolean(),
    prompt: fc.constantFrom(undefined, '', 'Code? '),
    debug: fc.boolean(),
    alwaysPrompt: fc.boolean(),
    lookup: fc.constant(DEFAULT_OPTIONS.lookup),
  }),
  standing: fc.constantFrom(
    'enrolled',
    'unknown-user',
    'not-enrolled',
    'blocked',
    'renamed',
    'failed',
    'refused',
    'spared',
  ),
  shapes: fc.constant(SHAPES),
  maySkip: fc.boolean(),
  quiet: fc.boolean(),
});

const VERIFICATIONS: readonly Verification[] = [
  { kind: 'accepted', factor: 'totp:phone', reading: 0 },
  { kind: 'rejected', reason: 'wrong-code' },
  { kind: 'rejected', reason: 'code-already-used', factor: 'totp:phone' },
  { kind: 'unavailable', factor: 'totp:phone', why: 'disk' },
];

/** The environment of a login: all events that can happen. */
interface Turn {
  readonly cancelled: boolean;
  readonly readings: number;
  readonly verification: Verification;
  readonly shape: number;
}
const turn: fc.Arbitrary<Turn> = fc.record({
  cancelled: fc.boolean(),
  readings: fc.integer({ min: 0, max: 2 }),
  verification: fc.constantFrom(...VERIFICATIONS),
  shape: fc.integer({ min: 0, max: 1 }),
});

interface Course {
  readonly questions: readonly Question[];
  readonly verifications: readonly Verification[];
  readonly cancelled: boolean;
  readonly ending: Ending;
}

/** Plays a login to its end; the last turn repeats itself. */
function play(login: LoginTerms, turns: readonly Turn[]): Course {
  const questions: Question[] = [];
  const verifications: Verification[] = [];
  let cancelled = false;
  let step = nextStep(login, LOGIN_START, { type: 'begun' });
  for (let at = 0; step.command.type !== 'end'; at++) {
    expect(at, 'a login must end').toBeLessThan(10);
    const { readings, verification, shape, ...now } = turns[Math.min(at, turns.length - 1)]!;
    let event: LoginEvent;
    if (step.command.type === 'verify') {
      verifications.push(verification);
      event = { type: 'verified', verification, shape: verification.kind === 'accepted' ? shape : undefined };
    } else {
      questions.push(step.command.question);
      cancelled = now.cancelled;
      event = cancelled ? { type: 'cancelled', why: 'gone' } : { type: 'answered', readings };
    }
    step = nextStep(login, step.state, event);
  }
  expect(step.state).toEqual({ at: 'end' });
  return { questions, verifications, cancelled, ending: step.command.ending };
}

function property(check: (login: LoginTerms, course: Course) => void): void {
  fc.assert(
    fc.property(terms, fc.array(turn, { minLength: 1, maxLength: 6 }), (login, turns) =>
      check(login, play(login, turns)),
    ),
    { numRuns: 5_000 },
  );
}

describe('every login', () => {
  it('ends with ok only when the user is spared, or is enrolled and the last check accepted', () => {
    property(({ standing }, { verifications, cancelled, ending }) => {
      const accepted = verifications.at(-1)?.kind === 'accepted';
      const right = standing === 'enrolled' && accepted && !cancelled;
      expect(ending.code === 'ok').toBe(right || standing === 'spared');
      expect(ending.reason === 'accepted').toBe(right);
    });
  });

  it('asks at most twice, and for the stacked password at most once and first', () => {
    property(({ options }, { questions }) => {
      expect(questions.length).toBeLessThanOrEqual(options.stacked === 'try' ? 2 : 1);
      const places = questions.flatMap(({ source }, place) => (source === 'stacked-password' ? [place] : []));
      expect(places).toEqual(options.stacked === 'ignore' || questions.length === 0 ? [] : [0]);
      const typed = questions.filter(({ source }) => source !== 'stacked-password');
      // With use_first_pass nobody is asked.
      expect(typed.length > 0 && options.stacked === 'use').toBe(false);
      for (const { source, text } of typed) {
        expect(source).toBe(options.echo ? 'ask-visibly' : 'ask-hidden');
        expect(text).toBe(
          options.prompt ?? (options.forwardPass ? TEXTS.askForPasswordAndCode : TEXTS.askForCode),
        );
      }
    });
  });

  it('skips the questions only for refused or spared users, or unenrolled ones with nullok (not always_prompt) on a host that is root', () => {
    property(({ options, standing, maySkip }, { questions, ending }) => {
      const skip = options.nullok && !options.alwaysPrompt && maySkip && standing === 'not-enrolled';
      expect(questions.length === 0).toBe(skip || standing === 'refused' || standing === 'spared');
      if (standing === 'refused') {
        expect(ending.code).toBe('denied');
      }
      if (skip) {
        expect(ending).toEqual({ code: 'not-enrolled', reason: 'not-enrolled' });
      }
    });
  });

  it('returns not-enrolled only for unenrolled users, and user-unknown only for unknown ones', () => {
    property(({ standing }, { cancelled, ending }) => {
      if (ending.code === 'not-enrolled') {
        expect(standing).toBe('not-enrolled');
      }
      if (ending.code === 'user-unknown') {
        expect(standing).toBe('unknown-user');
      }
      if (!cancelled && (standing === 'blocked' || standing === 'failed')) {
        expect(ending.reason).toBe(standing === 'blocked' ? 'record-unusable' : 'unavailable');
      }
      if (!cancelled && standing === 'renamed') {
        expect(ending).toMatchObject({ code: 'denied', reason: 'account-renamed' });
      }
    });
  });

  it('asks everybody the same: only the ending depends on who they are', () => {
    fc.assert(
      fc.property(terms, fc.array(turn, { minLength: 1, maxLength: 6 }), (login, turns) => {
        const wrong = turns.map((one) => ({ ...one, verification: VERIFICATIONS[1]! }));
        const options = { ...login.options, nullok: false };
        const courses = (
          ['enrolled', 'unknown-user', 'not-enrolled', 'blocked', 'renamed', 'failed'] as const
        ).map((standing) => play({ ...login, options, standing }, wrong));
        for (const course of courses) {
          expect(course.questions).toEqual(courses[0]!.questions);
        }
      }),
    );
  });

  it('cuts off a code only with forward_pass, and then the tail was asked for', () => {
    property(({ options }, { questions, ending }) => {
      expect(ending.cut !== undefined).toBe(options.forwardPass && ending.reason === 'accepted');
      if (ending.cut !== undefined) {
        expect(questions.at(-1)?.part).toBe('tail');
      }
    });
  });

  it('tells the person nothing but that a code cannot be checked', () => {
    property(({ quiet }, { ending }) => {
      expect([undefined, TEXTS.unavailable]).toContain(ending.notice);
      expect(ending.notice !== undefined).toBe(ending.code === 'unavailable' && !quiet);
    });
  });

  it('is played the same way again: no clock, no memory', () => {
    fc.assert(
      fc.property(terms, fc.array(turn, { minLength: 1 }), (login, turns) => {
        expect(play(login, turns)).toEqual(play(login, turns));
      }),
    );
  });
});

describe('an event that cannot happen', () => {
  const events: readonly LoginEvent[] = [
    { type: 'begun' },
    { type: 'answered', readings: 1 },
    { type: 'verified', verification: VERIFICATIONS[0]!, shape: 0 },
    { type: 'cancelled', why: 'x' },
  ];
  const possible: Readonly<Record<LoginStep['state']['at'], readonly LoginEvent['type'][]>> = {
    start: ['begun'],
    asking: ['answered', 'cancelled'],
    verifying: ['verified'],
    end: [],
  };
  const states: readonly LoginStep['state'][] = [
    LOGIN_START,
    { at: 'asking', source: 'ask-hidden' },
    { at: 'asking', source: 'stacked-password' },
    { at: 'verifying', source: 'ask-hidden' },
    { at: 'verifying', source: 'stacked-password' },
    { at: 'end' },
  ];
  const impossible = states.flatMap((state) =>
    events.filter(({ type }) => !possible[state.at].includes(type)).map((event) => ({ state, event })),
  );

  it.each(impossible)('throws: $event.type at $state.at', ({ state, event }) => {
    expect(() => nextStep(DEFAULTS, state, event)).toThrow(/cannot handle/);
  });
});

describe('a rule that wants a code and a touch', () => {
  const BOTH: LoginTerms = { ...DEFAULTS, both: true, shapes: [...SHAPES, { class: 'modhex', length: 44 }] };
  const accepted = (shape: number): LoginEvent => ({
    type: 'verified',
    verification: { kind: 'accepted', factor: 'x', reading: 0 },
    shape,
  });

  it('does not accept one kind twice, whatever the check returns', () => {
    for (const [kind, shape] of [
      ['code', 1],
      ['touch', 2],
    ] as const) {
      const state = { at: 'verifying', source: 'ask-hidden', half: { kind, factor: 'y', cut: {} } } as const;
      expect(nextStep(BOTH, state, accepted(shape)).command).toMatchObject({
        ending: { code: 'denied', reason: 'half-missing' },
      });
    }
  });

  it('spares nobody', () => {
    const spared = { ...BOTH, standing: 'spared' } as const;
    expect(() => nextStep(spared, LOGIN_START, { type: 'begun' })).toThrow(/never skips/);
  });
});

describe('a YubiKey that cannot be checked', () => {
  const unavailable: LoginEvent = {
    type: 'verified',
    verification: { kind: 'unavailable', factor: 'yubikey:blue', why: 'no server', tryAnother: true },
    shape: undefined,
  };

  it('leads to another question, but not with use_first_pass, which asks nothing', () => {
    const state = { at: 'verifying', source: 'stacked-password' } as const;
    for (const [stacked, type] of [
      ['try', 'ask'],
      ['use', 'end'],
    ] as const) {
      const login = { ...DEFAULTS, options: { ...DEFAULTS.options, stacked } };
      expect(nextStep(login, state, unavailable).command.type).toBe(type);
    }
  });
});

describe('whoever is held back', () => {
  it.each([
    [false, 'too-many-tries', TEXTS.tooManyTries],
    [true, 'denied', undefined],
  ])('gets a text, unless it must be quiet (%s)', (quiet, code, notice) => {
    const state = { at: 'verifying', source: 'ask-hidden' } as const;
    const { command } = nextStep({ ...DEFAULTS, quiet }, state, { type: 'held-back' });
    const ending = command.type === 'end' ? command.ending : expect.unreachable('it goes on');
    expect([ending.code, ending.reason, ending.notice]).toEqual([code, 'too-many-tries', notice]);
  });
});

describe('the question', () => {
  const ask = (options: Partial<LoginTerms['options']>): Question => {
    const login = { ...DEFAULTS, options: { ...DEFAULTS.options, ...options } };
    const { command } = nextStep(login, LOGIN_START, { type: 'begun' });
    return command.type === 'ask' ? command.question : expect.unreachable('nothing was asked');
  };

  it('is for the code alone, hidden, when nothing else is said', () => {
    expect(ask({})).toEqual({
      source: 'ask-hidden',
      part: 'whole',
      shapes: SHAPES,
      text: 'Verification code: ',
    });
  });

  it('is for password and code in one with forward_pass', () => {
    expect(ask({ forwardPass: true })).toMatchObject({
      source: 'ask-hidden',
      part: 'tail',
      text: 'Password & verification code: ',
    });
  });

  it('takes the tail of the stacked password, and shows nothing', () => {
    for (const stacked of ['try', 'use'] as const) {
      expect(ask({ stacked })).toMatchObject({ source: 'stacked-password', part: 'tail', text: '' });
    }
  });
});
