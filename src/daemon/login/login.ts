import type { CodeShape } from '../../factors/code-shape.ts';
import type { Rejection, Verification } from '../enrolments/enrolment.ts';
import type { ModuleOptions } from '../../config/module-options.ts';
import { TEXTS } from './texts.ts';

/*
 * The state machine of one login: pure. An event goes in; the next state and an action come out. There is no clock, socket or
 * disk.
 *
 *   start -> (the stacked password) -> (the question) -> verdict
 */

/** What is known about the user, as far as the login depends on it. */
export type Standing =
  | 'enrolled'
  /** The passwd database has no such user. */
  | 'unknown-user'
  | 'not-enrolled'
  /** There is a record, but without a usable factor. */
  | 'blocked'
  /** There is a record of the same uid under another name. */
  | 'renamed'
  /** The look-up failed. */
  | 'failed'
  /** Denied without a question. */
  | 'refused'
  /** Let in without a question. */
  | 'spared';

/** The options and facts that a login depends on. */
export interface LoginTerms {
  readonly options: ModuleOptions;
  readonly standing: Standing;
  /** Shapes of the user's codes, or of a decoy's. */
  readonly shapes: readonly CodeShape[];
  /** Whether `nullok` may skip the question. Never for hosts that are not root. */
  readonly maySkip: boolean;
  /** Whether the person sees none of our texts, and a throttled login is denied without one. */
  readonly quiet: boolean;
  /** The end of a `refused` login, and the reason of a `spared` one. */
  readonly refusal?: 'too-many-tries' | 'record-unusable' | 'bad-option';
  readonly factor?: string;
  /** Whether a rule requires a code and a touch of a YubiKey. */
  readonly both?: boolean;
  /** The text after an answer that cannot be a code, the same for every user; left out: none. */
  readonly advice?: string | undefined;
}

/** An event of a login. */
export type LoginEvent =
  | { readonly type: 'begun' }
  /** An answer came, with the number of the prompt's shapes that it fits. */
  | { readonly type: 'answered'; readonly readings: number }
  /** An answer was checked; `shape` is the place of the right reading's shape in the list of {@link LoginTerms}. */
  | { readonly type: 'verified'; readonly verification: Verification; readonly shape: number | undefined }
  /** An answer may not be checked: there were too many tries. */
  | { readonly type: 'held-back' }
  /** The host could not ask. */
  | { readonly type: 'cancelled'; readonly why: string };

/** The reason of a login's end, for the log. */
export type Reason =
  | Rejection
  | 'accepted'
  | 'grace-period'
  | 'no-code'
  | 'not-enrolled'
  | 'account-renamed'
  | 'user-unknown'
  | 'bad-option'
  | 'unavailable'
  | 'cancelled'
  | 'exempt-by-rule'
  | 'denied-by-rule'
  | 'left-to-proxmox'
  | 'no-factor-in-proxmox'
  | 'half-missing';

/** What to ask. */
export interface Question {
  readonly source: 'ask-hidden' | 'ask-visibly' | 'stacked-password';
  readonly part: 'whole' | 'tail';
  readonly shapes: readonly CodeShape[];
  readonly text: string;
}

/** How a login ends. */
export interface Ending {
  readonly code:
    'denied' | 'ok' | 'not-enrolled' | 'user-unknown' | 'too-many-tries' | 'unavailable' | 'exempt';
  readonly reason: Reason;
  readonly factor?: string;
  /** Index of the shape whose bytes the module cuts off to get the password. */
  readonly cut?: number;
  /** What the person is told before the end. */
  readonly notice?: string;
  /** What the person is told as information, not as an error. */
  readonly information?: string;
  /** More about the reason, for the log. */
  readonly why?: string;
}

/** What to do next. */
export type LoginCommand =
  | { readonly type: 'ask'; readonly question: Question }
  | { readonly type: 'verify' }
  | { readonly type: 'end'; readonly ending: Ending };

/** Where a login is. */
export type LoginState =
  { readonly at: 'start' } | ({ readonly at: 'asking' | 'verifying' } & Course) | { readonly at: 'end' };

/** The part of the login that a question belongs to. */
export interface Course {
  readonly source: Question['source'];
  /** The half that was right before, if code and touch are required. */
  readonly half?: Half;
  /** Whether the YubiKey could not be checked, so that no touch is asked for again. */
  readonly withoutTouch?: true;
  /** How the login would have ended with the stacked password alone, before the question. */
  readonly missed?: Ending;
}

/** The half (code or touch) that was right. */
export interface Half {
  readonly kind: 'code' | 'touch';
  readonly factor: string;
  readonly cut: { readonly cut?: number };
}

/** The state after an event, and what to do. */
export interface LoginStep {
  readonly state: LoginState;
  readonly command: LoginCommand;
}

/** Where every login begins. */
export const LOGIN_START: LoginState = { at: 'start' };

/**
 * Takes a login one step further.
 *
 * @param terms - the options and facts; the same in every step
 * @param state - its state
 * @param event - what happened
 * @returns the next state, and what to do
 * @throws Error when the event cannot happen in this state: the caller has a bug, and the login must not go on
 */
export function nextStep(terms: LoginTerms, state: LoginState, event: LoginEvent): LoginStep {
  if (state.at === 'start' && event.type === 'begun') {
    return begin(terms);
  }
  if (state.at === 'asking' && event.type === 'answered') {
    return event.readings > 0
      ? { state: { ...state, at: 'verifying' }, command: { type: 'verify' } }
      : advised(terms, failed(terms, state, { code: 'denied', reason: 'no-code' }));
  }
  if (state.at === 'asking' && event.type === 'cancelled') {
    return end(unanswered(state, event.why));
  }
  if (state.at === 'verifying' && event.type === 'held-back') {
    return heldBack(terms, state);
  }
  if (state.at === 'verifying' && event.type === 'verified') {
    return judge(terms, state, event);
  }
  throw new Error(`A login at "${state.at}" cannot handle "${event.type}"`);
}

function begin(terms: LoginTerms): LoginStep {
  const { nullok, alwaysPrompt } = terms.options;
  if (terms.standing === 'not-enrolled' && nullok && !alwaysPrompt && terms.maySkip && !wantsBoth(terms)) {
    return end({ code: 'not-enrolled', reason: 'not-enrolled' });
  }
  if (terms.standing === 'refused') {
    return end({ code: 'denied', reason: terms.refusal ?? 'record-unusable' });
  }
  if (terms.standing === 'spared') {
    if (wantsBoth(terms)) {
      throw new Error('A login that needs code and touch never skips the question');
    }
    return end({
      code: 'ok',
      reason: 'grace-period',
      ...(terms.factor === undefined ? {} : { factor: terms.factor }),
    });
  }
  return ask(terms, { source: terms.options.stacked === 'ignore' ? typed(terms) : 'stacked-password' });
}

function wantsBoth({ both }: LoginTerms): boolean {
  return both === true;
}

/** The question for a person. */
function typed({ options }: LoginTerms): Question['source'] {
  return options.echo ? 'ask-visibly' : 'ask-hidden';
}

/**
 * A stacked password always has the code at its end. The second half is asked for alone, and so is the code that replaces a
 * YubiKey.
 */
function ask(terms: LoginTerms, course: Course): LoginStep {
  const { forwardPass } = terms.options;
  const { source, half } = course;
  const question: Question = {
    source,
    part: (forwardPass && half === undefined) || source === 'stacked-password' ? 'tail' : 'whole',
    shapes: shapesFor(terms, course),
    text: source === 'stacked-password' ? '' : textOf(terms, course),
  };
  return { state: { at: 'asking', ...course }, command: { type: 'ask', question } };
}

function textOf({ options }: LoginTerms, { half, withoutTouch }: Course): string {
  if (half !== undefined) {
    return half.kind === 'code' ? TEXTS.askForTouchToo : TEXTS.askForCodeToo;
  }
  if (withoutTouch === true) {
    return options.forwardPass && options.lookup.yubico === undefined
      ? TEXTS.askForPasswordAndOther
      : TEXTS.askForOther;
  }
  return options.prompt ?? (options.forwardPass ? TEXTS.askForPasswordAndCode : TEXTS.askForCode);
}

/** The shapes that are still needed, in their order. */
function shapesFor({ shapes }: LoginTerms, { half, withoutTouch }: Course): readonly CodeShape[] {
  const touch = withoutTouch !== true && half?.kind !== 'touch';
  const code = half?.kind !== 'code';
  return shapes.filter((shape) => (shape.class === 'modhex' ? touch : code));
}

type Verified = Extract<LoginEvent, { type: 'verified' }>;

function judge(terms: LoginTerms, course: Course, { verification, shape }: Verified): LoginStep {
  // Whatever the check returned, only enrolled users can be let in.
  if (terms.standing !== 'enrolled') {
    return failed(terms, course, { code: 'denied', reason: 'wrong-code' });
  }
  switch (verification.kind) {
    case 'accepted': {
      const half: Half = {
        kind: shape !== undefined && terms.shapes[shape]?.class === 'modhex' ? 'touch' : 'code',
        factor: verification.factor,
        cut: cutOf(terms, course, shape),
      };
      if (wantsBoth(terms) && course.half === undefined) {
        return askForRest(terms, half);
      }
      if (wantsBoth(terms) && course.half?.kind === half.kind) {
        return end(halfMissing(half));
      }
      return end({
        code: 'ok',
        reason: 'accepted',
        factor: course.half === undefined ? half.factor : `${course.half.factor}+${half.factor}`,
        ...(course.half ?? half).cut,
        ...(verification.notice === undefined ? {} : { notice: verification.notice }),
        ...(verification.recoveryCodesLeft === undefined
          ? {}
          : { information: TEXTS.fewRecoveryCodes(verification.recoveryCodesLeft) }),
      });
    }
    case 'rejected': {
      const { reason, factor, why, notice } = verification;
      return failed(terms, course, {
        code: 'denied',
        reason,
        ...(factor === undefined ? {} : { factor }),
        ...(why === undefined ? {} : { why }),
        ...(notice === undefined ? {} : { notice }),
      });
    }
    case 'unavailable':
      if (verification.tryAnother === true && mayAskForOther(terms, course)) {
        return ask(terms, { ...afterMiss(course.missed), source: typed(terms), withoutTouch: true });
      }
      return end({
        code: 'unavailable',
        reason: 'unavailable',
        factor: verification.factor,
        why: verification.why,
        ...telling(terms, TEXTS.unavailable),
      });
  }
}

/** Index of the right shape in the question's own list. */
function cutOf(terms: LoginTerms, course: Course, shape: number | undefined): Half['cut'] {
  const right = shape === undefined ? undefined : terms.shapes[shape];
  return terms.options.forwardPass && right !== undefined
    ? { cut: shapesFor(terms, course).indexOf(right) }
    : {};
}

/**
 * A code was right and a touch is still required, or the other way round. One stacked password cannot have both, so even
 * `use_first_pass` asks for the second.
 */
function askForRest(terms: LoginTerms, half: Half): LoginStep {
  const course: Course = { source: typed(terms), half };
  return shapesFor(terms, course).length === 0 ? end(halfMissing(half)) : ask(terms, course);
}

function halfMissing({ kind, factor }: Half): Ending {
  const notice = kind === 'code' ? TEXTS.touchMissing : TEXTS.codeMissing;
  return { code: 'denied', reason: 'half-missing', factor, notice };
}

/** If the touch cannot be checked, the user may have another factor. With a rule `both`, nothing else counts. */
function mayAskForOther(terms: LoginTerms, { withoutTouch }: Course): boolean {
  const others = shapesFor(terms, { source: 'ask-hidden', withoutTouch: true });
  return withoutTouch !== true && !wantsBoth(terms) && terms.options.stacked !== 'use' && others.length > 0;
}

/** This tells nothing about the user: users without a factor, or without an account, are throttled in the same way. */
function heldBack(terms: LoginTerms, { source }: Course): LoginStep {
  const ending: Ending = {
    code: terms.quiet ? 'denied' : 'too-many-tries',
    reason: 'too-many-tries',
    ...telling(terms, TEXTS.tooManyTries),
  };
  return source === 'stacked-password' && terms.options.stacked === 'try'
    ? ask(terms, { ...afterMiss(ending), source: typed(terms) })
    : end(ending);
}

/** What a person is told in our own words. */
function telling({ quiet }: LoginTerms, notice: string): { readonly notice?: string } {
  return quiet ? {} : { notice };
}

/** If a question is allowed, a stacked password without a right code is not the end. */
function failed(terms: LoginTerms, { source }: Course, ending: Ending): LoginStep {
  if (source === 'stacked-password' && terms.options.stacked === 'try') {
    const guessed = ending.reason === 'no-code' ? undefined : endingOf(terms, ending);
    return ask(terms, { ...afterMiss(guessed), source: typed(terms) });
  }
  return end(endingOf(terms, ending));
}

function afterMiss(missed: Ending | undefined): Pick<Course, 'missed'> {
  return missed === undefined ? {} : { missed };
}

/** Nobody answers, but an earlier guess is still logged as one: hanging up does not hide it. */
function unanswered({ half, missed }: Course, why: string): Ending {
  if (half !== undefined) {
    return { code: 'denied', reason: 'half-missing', factor: half.factor, why };
  }
  return missed === undefined
    ? { code: 'denied', reason: 'cancelled', why }
    : {
        code: 'denied',
        reason: missed.reason,
        ...(missed.factor === undefined ? {} : { factor: missed.factor }),
        why: [missed.why, 'tried in the stacked password', why]
          .filter((part) => part !== undefined)
          .join('; '),
      };
}

/** It depends only on the typed text, not on the user. */
function advised({ advice, quiet }: LoginTerms, step: LoginStep): LoginStep {
  return advice === undefined || quiet || step.command.type !== 'end'
    ? step
    : end({ ...step.command.ending, information: advice });
}

/** A user who cannot be let in at all gets another reason, after the same questions and the same work. */
function endingOf(terms: LoginTerms, otherwise: Ending): Ending {
  switch (terms.standing) {
    case 'enrolled':
      return otherwise;
    case 'refused':
    case 'spared':
      return { code: 'denied', reason: 'record-unusable' };
    case 'unknown-user':
      return { code: 'user-unknown', reason: 'user-unknown' };
    case 'not-enrolled':
      // With nullok, the module accepts this verdict. But a rule `both` applies to everybody.
      return { code: wantsBoth(terms) ? 'denied' : 'not-enrolled', reason: 'not-enrolled' };
    case 'blocked':
      return { code: 'denied', reason: 'record-unusable' };
    case 'renamed':
      return { code: 'denied', reason: 'account-renamed' };
    case 'failed':
      return { code: 'unavailable', reason: 'unavailable', ...telling(terms, TEXTS.unavailable) };
  }
}

function end(ending: Ending): LoginStep {
  return { state: { at: 'end' }, command: { type: 'end', ending } };
}
