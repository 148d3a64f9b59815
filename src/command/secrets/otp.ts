import { generate } from '@otplib/uri';
import { createGuardrails, generateSecret, verifySync } from 'otplib';
import { decodeBase32, encodeBase32 } from '../../factors/base32.ts';
import {
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  SECRET_BYTES,
  type Algorithm,
} from '../../factors/hotp-value.ts';
import { LOOK_AHEAD, type Hotp } from '../../factors/hotp.ts';
import type { Totp } from '../../factors/totp.ts';

/*
 * The command's use of otplib, which is loaded only when needed, because that is slow. Its errors may contain a secret or a whole
 * URI, so none of them leaves this file.
 */

/** Limits for otplib: a user's own secret may be shorter than it expects, and the counter of an old token further behind. */
const GUARDRAILS = createGuardrails({ MIN_SECRET_BYTES, MAX_SECRET_BYTES });

/** otplib refused. The message contains none of its input. */
export class OtpError extends Error {
  readonly code = 'ERR_OTP';
  /** @param what - what could not be done */
  constructor(what: string) {
    super(`${what}: the library for one-time passwords refused`);
    this.name = 'OtpError';
  }
}

function caught<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch {
    throw new OtpError(what);
  }
}

/**
 * Makes a new secret.
 *
 * @param algorithm - of the codes: its hash says how long the secret is
 * @returns random bytes
 */
export function newSecret(algorithm: Algorithm): Buffer {
  const length = SECRET_BYTES[algorithm];
  const secret = caught('No secret was made', () => decodeBase32(generateSecret({ length })));
  if (secret?.length !== length) {
    throw new OtpError('No secret was made');
  }
  return secret;
}

/**
 * The URI that a phone reads from a QR code (Key URI Format), without parameters that have their default value.
 *
 * @param factor - the factor
 * @param issuer - who asks for the code: shown on the phone; empty: nobody is named
 * @param label - whose code it is: shown on the phone
 * @returns an `otpauth://` URI. A secret: it holds the shared secret.
 */
export function phoneUri(factor: Totp | Hotp, issuer: string, label: string): string {
  const { algorithm, digits } = factor;
  const [by, of] = [withoutColon(issuer), withoutColon(label)];
  const params = {
    secret: encodeBase32(factor.secret),
    ...(by === '' ? {} : { issuer: by }),
    algorithm,
    digits,
  };
  return caught('No URI was made', () =>
    generate({
      type: 'counter' in factor ? 'hotp' : 'totp',
      label: by === '' ? of : `${by}:${of}`,
      params:
        'counter' in factor ? { ...params, counter: factor.counter } : { ...params, period: factor.period },
    }),
  );
}

/** A colon separates the names, so it cannot be part of one. */
function withoutColon(name: string): string {
  return name.replaceAll(':', ' ');
}

/**
 * Checks a code of a factor, at a time or from its counter on.
 *
 * @param factor - the factor
 * @param code - as it was typed, without blanks
 * @param now - milliseconds since 1970
 * @returns the time step or counter of the code; undefined if it is wrong
 */
export function stepOfCode(factor: Totp | Hotp, code: string, now: number): number | undefined {
  if (!new RegExp(`^\\d{${factor.digits}}$`).test(code)) {
    return undefined;
  }
  const { algorithm, digits } = factor;
  const token = { algorithm, digits, secret: factor.secret, token: code, guardrails: GUARDRAILS };
  return caught('The code was not checked', () => {
    if ('counter' in factor) {
      const { counter } = factor;
      const result = verifySync({
        ...token,
        strategy: 'hotp',
        counter,
        counterTolerance: [0, LOOK_AHEAD],
      });
      return result.valid ? counter + result.delta : undefined;
    }
    const { period } = factor;
    const epoch = Math.floor(now / 1000);
    const result = verifySync({ ...token, strategy: 'totp', period, epoch, epochTolerance: period });
    return result.valid ? Math.floor(epoch / period) + result.delta : undefined;
  });
}
