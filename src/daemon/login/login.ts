import type { CodeShape } from '../../factors/code-shape.ts';
import type { Rejection, Verification } from '../enrolments/enrolment.ts';
import type { ModuleOptions } from '../../config/module-options.ts';
import { TEXTS } from './texts.ts';

/*
 * The state machine of one login: pure. An event comes in, the next state and what to do come out; no clock, no socket, no disk.
 *
 *   start -> (the stacked password) -> (the question) -> verdict
 */

/** What is known of the user, as far as the course of the login depends on it. */
export type Standing =
  | 'enrolled'
  /** The passwd database has nobody of this name. */
  | 'unknown-user'
  | 'not-enrolled'
  /** There is a record, but nothing in it can be used. */
  | 'blocked'
  /** There is a record of the same uid under another name. */
  | 'renamed'
  /** It could not be found out. */
  | 'failed'
  /** Denied without a question. */
  | 'refused'
  /** Let in without a question. */
  | 'spared';

/** What the login goes by. */
export interface LoginTerms {
  readonly options: ModuleOptions;
  readonly standing: Standing;
  /** Shapes of the user's codes, or of a decoy's. */
  readonly shapes: readonly CodeShape[];
  /** Whether `nullok` may skip the question: not for hosts that are not root. */
  readonly maySkip: boolean;
  /** Whether the person is told nothing of our own, and whoever is held back is just denied. */
  readonly quiet: boolean;
  /** How a login ends that is `refused`, and what spares one that is `spared`. */
  readonly refusal?: 'too-many-tries' | 'record-unusable' | 'bad-option';
  readonly factor?: string;
  /** Whether a rule wants a code and a touch of a YubiKey. */
  readonly both?: boolean;
  /** What whoever types something that is no code is told, whoever it is; left out: nothing. */
  readonly advice?: string | undefined;
}

/** What happens to a login. */
export type LoginEvent =
  | { readonly type: 'begun' }
  /** An answer came; how many of the prompt's shapes it has. */
  | { readonly type: 'answered'; readonly readings: number }
  /** An answer was checked; `shape` is the place of the right reading's shape in the list of {@link LoginTerms}. */
  | { readonly type: 'verified'; readonly verification: Verification; readonly shape: number | undefined }
  /** An answer may not be checked: there were too many tries. */
  | { readonly type: 'held-back' }
  /** The host could not ask. */
  | { readonly type: 'cancelled'; readonly why: string };

/** Why a login ended as it did: for the log. */
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
  /** Place of the shape whose bytes the module shall cut off to get the password. */
  readonly cut?: number;
  /** What the person is told before the end. */
  readonly notice?: string;
  /** What the person is told that is no error. */
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

/** What a question belongs to. */
export interface Course {
  readonly source: Question['source'];
  /** What was right before, where a code and a touch are wanted. */
  readonly half?: Half;
  /** Whether the YubiKey could not be checked: no touch is asked for any more. */
  readonly withoutTouch?: true;
  /** How the login would have ended with the guess in the stacked password, which a question followed. */
  readonly missed?: Ending;
}

/** The half of a code and a touch that was right. */
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
 * @param terms - what the login goes by; the same in every step
 * @param state - where it is
 * @param event - what happened
 * @returns where it is then, and what to do
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
  throw new Error(`A login that is at "${state.at}" cannot meet "${event.type}"`);
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
      throw new Error('Nobody is spared where a code and a touch are wanted');
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

/** How a person is asked. */
function typed({ options }: LoginTerms): Question['source'] {
  return options.echo ? 'ask-visibly' : 'ask-hidden';
}

/** A stacked password always has the code at its end. The second half comes alone, and so does what stands in for a YubiKey. */
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

/** The shapes of what is still asked for, in their order. */
function shapesFor({ shapes }: LoginTerms, { half, withoutTouch }: Course): readonly CodeShape[] {
  const touch = withoutTouch !== true && half?.kind !== 'touch';
  const code = half?.kind !== 'code';
  return shapes.filter((shape) => (shape.class === 'modhex' ? touch : code));
}

type Verified = Extract<LoginEvent, { type: 'verified' }>;

function judge(terms: LoginTerms, course: Course, { verification, shape }: Verified): LoginStep {
  // Whatever a check says: only who is enrolled can be let in.
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

/** The place of the right shape in the question's own list. */
function cutOf(terms: LoginTerms, course: Course, shape: number | undefined): Half['cut'] {
  const right = shape === undefined ? undefined : terms.shapes[shape];
  return terms.options.forwardPass && right !== undefined
    ? { cut: shapesFor(terms, course).indexOf(right) }
    : {};
}

/**
 * A code was right where a touch is wanted, too, or the other way round. One stacked password cannot hold both, so even
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

/** Whoever cannot be checked by touch may have something else; where both are wanted, nothing else will do. */
function mayAskForOther(terms: LoginTerms, { withoutTouch }: Course): boolean {
  const others = shapesFor(terms, { source: 'ask-hidden', withoutTouch: true });
  return withoutTouch !== true && !wantsBoth(terms) && terms.options.stacked !== 'use' && others.length > 0;
}

/** It says nothing about the user: whoever has no factor, or does not exist, is held back in the same way. */
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

/** A stacked password that does not hold a right code is not the end, when there may be a question. */
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

/** Nobody answers, but what was tried before is logged as what it was: hanging up hides no guess. */
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

/** It does not depend on who it is: only on what was typed. */
function advised({ advice, quiet }: LoginTerms, step: LoginStep): LoginStep {
  return advice === undefined || quiet || step.command.type !== 'end'
    ? step
    : end({ ...step.command.ending, information: advice });
}

/** Who cannot be let in at all gets an ending of its own, after the same questions and the same work. */
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
      // The module itself lets this verdict pass with nullok, but a rule that wants both wants them of everybody.
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
