import { timingSafeEqual } from 'node:crypto';
import { parseAnswer } from './parse-answer.ts';
import { sign } from './sign.ts';

const HTTP_OK = 200;
/** Numbers as ykval and similar servers write them. */
const NUMBER = /^\d{1,10}$/;

/** The request, which an answer must match. */
export interface Asked {
  readonly otp: string;
  readonly nonce: string;
  readonly apiKey: Uint8Array;
  /** The least share of a pool's servers, in per cent, that must know of the OTP; undefined: the server's default. */
  readonly syncLevel: number | undefined;
}

/** The counters of an OTP, as far as the server returns them. */
export interface AnsweredCounters {
  readonly sessionCounter: number;
  readonly sessionUse: number;
}

/**
 * The meaning of one server's answer. `right`, `wrong` and `replayed` decide. The others do not, because another server may know
 * more.
 */
export type Judgement =
  | { readonly kind: 'right'; readonly counters: AnsweredCounters | undefined }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'replayed' }
  /** The server rejects our id, key or request. The administrator has to fix that. */
  | { readonly kind: 'misconfigured'; readonly why: string }
  /** The answer is useless. */
  | { readonly kind: 'unavailable'; readonly why: string };

/**
 * Judges an answer of a validation server: protocol 2.0, "Verification" and the statuses that ykval and yubiserver know.
 *
 * @param httpStatus - of the answer
 * @param body - of the answer
 * @param asked - what was asked
 * @returns its meaning; `right` only after every check
 */
export function checkAnswer(httpStatus: number, body: string, asked: Asked): Judgement {
  if (httpStatus !== HTTP_OK) {
    return unavailable(`HTTP status ${httpStatus}`);
  }
  const answer = parseAnswer(body);
  if (answer === undefined) {
    return unavailable('the answer is malformed');
  }
  const status = answer.get('status') ?? '';
  switch (status) {
    case 'OK':
      return checkOk(answer, asked);
    case 'BAD_OTP':
      return checkRefusal(answer, asked, { kind: 'wrong' });
    case 'REPLAYED_OTP':
    case 'DELAYED_OTP': // yubiserver: an older OTP than the last one of the same session
      return checkRefusal(answer, asked, { kind: 'replayed' });
    // A server that does not know our key cannot sign with it, so these answers count without a signature. They let nobody in.
    case 'BAD_SIGNATURE':
    case 'MISSING_PARAMETER':
    case 'NO_SUCH_CLIENT':
    case 'OPERATION_NOT_ALLOWED':
    case 'NO_AUTH':
      return { kind: 'misconfigured', why: status };
    // It has our nonce from another server of its pool: that one's answer counts.
    case 'REPLAYED_REQUEST':
    case 'BACKEND_ERROR':
    case 'NOT_ENOUGH_ANSWERS':
      return unavailable(status);
    default:
      return unavailable('the status is missing or unknown');
  }
}

function checkOk(received: ReadonlyMap<string, string>, asked: Asked): Judgement {
  const answer = signedPart(received, asked);
  if (answer === undefined) {
    return unavailable('the signature of the answer is missing or wrong');
  }
  if (answer.get('otp') !== asked.otp) {
    return unavailable('the answer is about another OTP');
  }
  if (answer.get('nonce') !== asked.nonce) {
    return unavailable('the answer is to another request');
  }
  const { syncLevel } = asked;
  if (syncLevel !== undefined && (numberOf(answer, 'sl') ?? -1) < syncLevel) {
    return unavailable(`fewer than ${syncLevel} per cent of the servers know of the OTP`);
  }
  return { kind: 'right', counters: countersOf(answer) };
}

/** Names of the counters. yubiserver (0.6) sends them, but leaves them out of its signature. */
const COUNTERS: ReadonlySet<string> = new Set(['timestamp', 'sessioncounter', 'sessionuse']);

/** All parameters, if all are signed. If only the counters are unsigned, the parameters without them. */
function signedPart(
  received: ReadonlyMap<string, string>,
  asked: Asked,
): ReadonlyMap<string, string> | undefined {
  const others = new Map([...received].filter(([name]) => !COUNTERS.has(name)));
  return [received, others].find((part) => isSigned(part, asked));
}

/** A refusal may leave OTP and nonce out, but if it has them, they must be ours. */
function checkRefusal(answer: ReadonlyMap<string, string>, asked: Asked, refusal: Judgement): Judgement {
  if (!isSigned(answer, asked)) {
    return unavailable('the signature of the answer is missing or wrong');
  }
  const { otp = asked.otp, nonce = asked.nonce } = Object.fromEntries(answer);
  return otp === asked.otp && nonce === asked.nonce
    ? refusal
    : unavailable('the answer is to another request');
}

/** The signature covers all parameters, also unknown ones. */
function isSigned(answer: ReadonlyMap<string, string>, { apiKey }: Asked): boolean {
  const expected = Buffer.from(sign(answer, apiKey), 'latin1');
  const given = Buffer.from(answer.get('h') ?? '', 'latin1');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function countersOf(answer: ReadonlyMap<string, string>): AnsweredCounters | undefined {
  const sessionCounter = numberOf(answer, 'sessioncounter');
  const sessionUse = numberOf(answer, 'sessionuse');
  return sessionCounter === undefined || sessionUse === undefined
    ? undefined
    : { sessionCounter, sessionUse };
}

function numberOf(answer: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = answer.get(name) ?? '';
  return NUMBER.test(text) ? Number(text) : undefined;
}

function unavailable(why: string): Judgement {
  return { kind: 'unavailable', why };
}
