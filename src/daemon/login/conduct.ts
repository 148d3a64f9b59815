import { createHash } from 'node:crypto';
import { UNLIMITED, type Attempts, type LoginAttempt, type Subject } from '../attempts/attempts.ts';
import { originOf } from '../attempts/origin.ts';
import { decoyEnrolment } from '../enrolments/decoy.ts';
import type { Enrolment, Enrolments } from '../enrolments/enrolment.ts';
import type { TypedCode } from '../../factors/code-shape.ts';
import type { Log } from '../../log/log.ts';
import type { Notice } from '../wire/notice.ts';
import type { Verdict } from '../wire/verdict.ts';
import { checkAnswer, type CheckClocks } from './check-answer.ts';
import type { Reply } from './reply.ts';
import {
  LOGIN_START,
  nextStep,
  type Ending,
  type LoginEvent,
  type LoginTerms,
  type Question,
} from './login.ts';
import { ruleFor, type RuleBook } from './rule-for.ts';
import { ask, resultOf, type Steps } from './steps.ts';
import { lookupRequestOf } from './lookup-request.ts';
import { NATIVE, webEnding, type WebLogins } from './web-login.ts';
import { courseLog, logEnding, logGroupsUnknown, logOptionError } from './login-log.ts';
import type { LoginContext, LoginRequest } from './login-request.ts';
import { TEXTS } from './texts.ts';
import { parseModuleOptions, untrusted, type ModuleOptions } from '../../config/module-options.ts';

/* Conducts a login: runs the state machine with the look-up, the questions and the checks. */

/** How long the host should wait after a failure, in microseconds: as long as with pam_unix. */
export const FAIL_DELAY_US = 2_000_000;

/** What a login needs from the rest of the daemon. */
export interface LoginPorts extends CheckClocks {
  readonly enrolments: Enrolments;
  readonly rules: RuleBook;
  /** Whether the source `proxmox` is on. Its users may type codes that work only in Proxmox. */
  readonly proxmoxAsked?: boolean;
  /** Left out: the module passes logins to the web interface of Proxmox. */
  readonly web?: WebLogins;
  readonly attempts: Attempts;
  readonly log: Log;
  /** Remembers logins with a code. */
  readonly accepted?: { note(context: LoginContext): void };
}

/** The verdict of a login, with a text. */
export interface Conclusion {
  /** What the person is told before the end. */
  readonly notices: readonly Notice[];
  readonly verdict: Verdict;
}

/** The module at the other end. */
export interface Peer {
  /** Whether the module can no longer be reached. */
  readonly gone: boolean;
}

/**
 * Conducts one login from the first question to the verdict.
 *
 * @param request - who, from where
 * @param peer - the module
 * @param ports - the rest of the daemon
 * @returns the verdict; nobody receives it if the module is gone
 */
export function* conductLogin(request: LoginRequest, peer: Peer, ports: LoginPorts): Steps<Conclusion> {
  const parsed = parseModuleOptions(request.moduleArguments);
  if (parsed.kind === 'bad') {
    logOptionError(ports.log, request.context, parsed);
    return { notices: [], verdict: { code: 'denied', failDelayUs: FAIL_DELAY_US } };
  }
  const options = worded(request.trustedHost ? parsed.options : untrusted(parsed.options), request);
  const { both, ...rule } = yield* resultOf(ruleFor(request, ports.rules));
  if (rule.groupsUnknown !== undefined) {
    logGroupsUnknown(ports.log, request, rule.groupsUnknown);
  }
  const decided = rule.ending ?? (yield* resultOf(webEnding(request, ports.web ?? NATIVE)));
  if (decided !== undefined) {
    logEnding(ports.log, request, decided, decided.why);
    return {
      notices: [],
      verdict: { code: decided.code, failDelayUs: decided.code === 'exempt' ? 0 : FAIL_DELAY_US },
    };
  }
  const { enrolment, why, ...found } = yield* lookUp(request, both ? withoutGrace(options) : options, ports);
  const terms: LoginTerms = {
    ...found,
    options,
    shapes: enrolment.shapes,
    maySkip: request.trustedHost,
    both,
    advice: ports.proxmoxAsked === true ? TEXTS.keysOfProxmox : undefined,
  };
  const attempts = enrolment.countsItself === true ? UNLIMITED : ports.attempts;
  const attempt = attempts.begin(subjectOf(request, found.standing, enrolment), enrolment.limits);
  const ending = yield* converse(terms, enrolment, attempt, ports);
  const heard = peer.gone ? unheard(ending) : ending;
  // Often the module hung up because the look-up took too long.
  const reasons = peer.gone
    ? [heard.why, why].filter((part) => part !== undefined).join('; ')
    : (ending.why ?? why);
  logEnding(ports.log, request, heard, reasons);
  // The service name of a program that is not root is not trusted.
  if (heard.reason === 'accepted' && request.trustedHost) {
    ports.accepted?.note(request.context);
  }
  return { notices: noticesOf(heard), verdict: verdictOf(heard, options) };
}

function noticesOf({ information, notice }: Ending): Notice[] {
  return [
    ...(information === undefined ? [] : [{ kind: 'info', text: information } as const]),
    ...(notice === undefined ? [] : [{ kind: 'error', text: notice } as const]),
  ];
}

function verdictOf({ code, cut }: Ending, options: ModuleOptions): Verdict {
  return {
    code,
    failDelayUs: code === 'ok' ? 0 : FAIL_DELAY_US,
    ...(cut === undefined
      ? {}
      : { shape: cut, ...(options.lookup.yubico === undefined ? {} : { keepIfEmpty: true }) }),
  };
}

/** The module is gone, so nobody gets in; a failed guess is still logged as one. */
function unheard(ending: Ending): Ending {
  if (ending.reason === 'cancelled') {
    return ending;
  }
  const why = `the module was gone before the verdict (${ending.reason})`;
  return ending.code === 'ok'
    ? { code: 'denied', reason: 'cancelled', why }
    : { ...ending, why: ending.why === undefined ? why : `${ending.why}; ${why}` };
}

/** On a line with pam_yubico's options the question is pam_yubico's. */
function worded(options: ModuleOptions, { context }: LoginRequest): ModuleOptions {
  const user = Buffer.from(context.user ?? '').toString();
  return options.lookup.yubico === undefined
    ? options
    : { ...options, prompt: options.prompt ?? TEXTS.askForYubikey(user) };
}

/** A rule `both` needs code and touch at each login. */
function withoutGrace(options: ModuleOptions): ModuleOptions {
  return { ...options, lookup: { ...options.lookup, gracePeriod: 0 } };
}

interface Found extends Pick<LoginTerms, 'standing' | 'quiet' | 'refusal' | 'factor'> {
  readonly enrolment: Enrolment;
  readonly why?: string | undefined;
}

/** One decoy serves all logins, because it keeps no state. */
const decoy = decoyEnrolment();

/** Users without a usable enrolment get a decoy: the same questions and the same work. */
function* lookUp(request: LoginRequest, options: ModuleOptions, ports: LoginPorts): Steps<Found> {
  const wanted = lookupRequestOf(request, options);
  const lookup = yield* resultOf(ports.enrolments.lookUp(wanted));
  if (wanted.account === undefined && options.lookup.user === undefined) {
    // Looked up anyway, so that it takes as long. The result does not count.
    return { enrolment: decoy, standing: 'unknown-user', quiet: false };
  }
  switch (lookup.kind) {
    case 'enrolled': {
      const { enrolment } = lookup;
      return { enrolment, standing: 'enrolled', quiet: enrolment.quiet === true };
    }
    case 'absent':
      // A user who does not exist never counts as "not enrolled".
      return {
        enrolment: decoy,
        standing: wanted.account === undefined ? 'unknown-user' : 'not-enrolled',
        quiet: false,
      };
    case 'blocked': {
      const { quiet = false, renamed, why } = lookup;
      return { enrolment: decoy, standing: renamed === true ? 'renamed' : 'blocked', quiet, why };
    }
    case 'failed':
      return { enrolment: decoy, standing: 'failed', quiet: lookup.quiet === true, why: lookup.why };
    case 'refused': {
      const { reason, why } = lookup;
      return { enrolment: decoy, standing: 'refused', quiet: true, refusal: reason, why };
    }
    case 'spared':
      return { enrolment: decoy, standing: 'spared', quiet: true, factor: lookup.factor };
  }
}

function* converse(
  terms: LoginTerms,
  enrolment: Enrolment,
  attempt: LoginAttempt,
  ports: LoginPorts,
): Steps<Ending> {
  const logCourse = courseLog(ports.log, terms);
  let readings: readonly TypedCode[] = [];
  let step = nextStep(terms, LOGIN_START, { type: 'begun' });
  try {
    while (step.command.type !== 'end') {
      let event: LoginEvent;
      if (step.command.type === 'ask') {
        wipe(readings);
        const reply = yield* ask(step.command.question);
        readings = typedCodes(reply, step.command.question);
        event = eventOf(reply);
      } else {
        const more = step.state.at === 'verifying' && followed(terms, step.state.source);
        // The first of two halves is not a success yet.
        const half = terms.both === true && step.state.at === 'verifying' && step.state.half === undefined;
        event = yield* checked(
          terms,
          enrolment,
          half ? unfinished(attempt) : attempt,
          { readings, more },
          ports,
        );
      }
      logCourse(event);
      step = nextStep(terms, step.state, event);
    }
    return step.command.ending;
  } finally {
    wipe(readings);
  }
}

/** Whether the person is asked again if this answer is wrong. */
function followed({ options }: LoginTerms, source: Question['source']): boolean {
  return source === 'stacked-password' && options.stacked === 'try';
}

/** The attempt, whose success does not count yet. */
function unfinished(attempt: LoginAttempt): LoginAttempt {
  return {
    admit: () => attempt.admit(),
    failed: () => attempt.failed(),
    succeeded: () => undefined,
  };
}

function* checked(
  terms: LoginTerms,
  enrolment: Enrolment,
  attempt: LoginAttempt,
  { readings, more }: { readonly readings: readonly TypedCode[]; readonly more: boolean },
  ports: LoginPorts,
): Steps<LoginEvent> {
  const answer = yield* checkAnswer(enrolment, attempt, readings, ports, more);
  if (answer.kind === 'held-back') {
    return { type: 'held-back' };
  }
  const { verification, right } = answer;
  return {
    type: 'verified',
    verification,
    shape: right === undefined ? undefined : terms.shapes.indexOf(right.shape),
  };
}

/** The origin of all programs that are not root. It differs from all origins that programs of root report. */
const UNTRUSTED_ORIGIN = 'own program';

/** Names without an account are counted as the host passes them. */
function subjectOf(
  { account, context, trustedHost }: LoginRequest,
  standing: LoginTerms['standing'],
  { guessedAt }: Enrolment,
): Subject {
  const text = (value: string | Uint8Array | undefined): string | undefined =>
    value === undefined ? undefined : Buffer.from(value).toString('latin1');
  return {
    user:
      account?.name ??
      createHash('sha256')
        .update(context.user ?? '')
        .digest('base64'),
    ...(guessedAt === undefined ? {} : { source: guessedAt }),
    exists: account !== undefined || standing === 'enrolled',
    uid: account?.uid,
    // A program that is not root could name any terminal, and so have it locked.
    origin: trustedHost ? originOf(text(context.rhost), text(context.tty)) : UNTRUSTED_ORIGIN,
  };
}

/** Hanging up counts as cancelling, too. */
function eventOf(reply: Reply): LoginEvent {
  switch (reply.kind) {
    case 'answer':
      return { type: 'answered', readings: reply.readings.length };
    case 'cancel':
      return { type: 'cancelled', why: reply.reason };
    case 'gone':
      return { type: 'cancelled', why: reply.why };
  }
}

function typedCodes(reply: Reply, { shapes }: Question): readonly TypedCode[] {
  if (reply.kind !== 'answer') {
    return [];
  }
  return reply.readings.map(({ shape, text }) => {
    const known = shapes[shape];
    if (known === undefined) {
      throw new Error(`A reading of shape ${shape} came, but the prompt did not list it`);
    }
    return { shape: known, text };
  });
}

/** Codes are wiped as soon as the next answer, or the end, makes them useless. */
function wipe(readings: readonly TypedCode[]): void {
  for (const { text } of readings) {
    text.fill(0);
  }
}
