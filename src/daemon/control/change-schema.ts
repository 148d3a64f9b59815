import { decodeBase32 } from '../../factors/base32.ts';
import { ALGORITHMS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../../factors/hotp-value.ts';
import { MAX_COUNTER } from '../../factors/hotp.ts';
import { RECOVERY_CODE_LENGTH, RECOVERY_CODES } from '../../factors/recovery-code.ts';
import { DEFAULT_PERIOD, MAX_PERIOD, MAX_WINDOW } from '../../factors/totp.ts';
import { parseYubikeyLine, YubikeyLineError } from '../../formats/yubikey-line.ts';
import { z } from '../../contracts/schema.ts';
import { isPublicId, parseOtp } from '../../yubico-otp/index.ts';
import { FACTOR_NAME, MAX_LIMIT_ATTEMPTS, MAX_LIMIT_SECONDS } from '../enrolments/store/record.ts';
import { ControlError } from './control-error.ts';
import {
  MAX_CHANGES,
  MAX_NEW_PERIOD,
  MAX_PROOF_LENGTH,
  MIN_NEW_PERIOD,
} from '../../contracts/control-requests.ts';

/** Ids and names of factors are shorter. */
const MAX_WHICH_LENGTH = 64;

const name = z
  .string()
  .check(z.regex(FACTOR_NAME, 'letters, digits and ._@- only, at most 32, beginning with a letter or digit'));
/** Converts a text with `read`. An Unfit error says what is wrong with the text, but never quotes it. */
function textRead<T>(read: (text: string) => T | Unfit): z.ZodMiniType<T> {
  return z.pipe(
    z.string(),
    z.transform((text, { issues }): T => {
      const result = read(text);
      if (result instanceof Unfit) {
        issues.push({ code: 'custom', message: result.message, input: undefined });
        return z.NEVER;
      }
      return result;
    }),
  );
}

class Unfit {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const secret = textRead((text) => {
  const bytes = decodeBase32(text);
  return bytes === undefined || bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES
    ? new Unfit(`must be base32 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`)
    : bytes;
});
function whole(from: number, to: number): z.ZodMiniType<number> {
  return z.int().check(z.minimum(from), z.maximum(to));
}

const token = {
  name: z.optional(name),
  algorithm: z.optional(z.enum(ALGORITHMS)),
  digits: z.optional(z.union([z.literal(6), z.literal(7), z.literal(8)], 'must be 6, 7 or 8')),
  secret: z.optional(secret),
  imported: z.optional(z.literal(true)),
  window: z.optional(whole(1, MAX_WINDOW)),
  limit: z.optional(
    z.strictObject({ attempts: whole(1, MAX_LIMIT_ATTEMPTS), seconds: whole(1, MAX_LIMIT_SECONDS) }),
  ),
};
const recoveryCode = textRead((text) => {
  const code = text.replaceAll('-', '').toUpperCase();
  return code.length === RECOVERY_CODE_LENGTH && /^[A-Z2-7]+$/.test(code)
    ? code
    : new Unfit(`must be ${RECOVERY_CODE_LENGTH} base32 characters`);
});
const otp = textRead((typed) => parseOtp(typed) ?? new Unfit('is not what a YubiKey types'));
const yubikeyLine = textRead((line) => {
  try {
    return parseYubikeyLine(line) ?? new Unfit('there is no YubiKey in this line');
  } catch (error) {
    if (!(error instanceof YubikeyLineError)) {
      throw error;
    }
    return new Unfit(error.message);
  }
});
const newFactor = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('totp'),
      ...token,
      period: z.optional(whole(1, MAX_PERIOD)),
      usedStep: z.optional(z.int().check(z.minimum(0))),
    })
    .check(
      z.refine(
        ({ period = DEFAULT_PERIOD, imported }) =>
          imported === true || (period >= MIN_NEW_PERIOD && period <= MAX_NEW_PERIOD),
        { error: `must be ${MIN_NEW_PERIOD} to ${MAX_NEW_PERIOD}`, path: ['period'] },
      ),
    ),
  z.strictObject({ kind: z.literal('hotp'), ...token, counter: z.optional(whole(0, MAX_COUNTER)) }),
  z.strictObject({
    kind: z.literal('recovery'),
    codes: z.optional(
      z.array(recoveryCode).check(
        z.minLength(1),
        z.maxLength(RECOVERY_CODES),
        z.refine((codes) => new Set(codes).size === codes.length, 'two of them are the same'),
      ),
    ),
  }),
  z
    .strictObject({
      kind: z.literal('yubikey'),
      name: z.optional(name),
      otp: z.optional(otp),
      secrets: z.optional(yubikeyLine),
      publicId: z.optional(
        z.string().check(z.minLength(1), z.refine(isPublicId, 'must be up to 16 letters of modhex')),
      ),
    })
    .check(
      z.refine(
        ({ otp: typed, secrets, publicId }) =>
          publicId === undefined ? (typed ?? secrets) !== undefined : (typed ?? secrets) === undefined,
        'must have an OTP, its secrets, or both; or a public id alone',
      ),
    ),
]);
const which = z.string().check(z.minLength(1), z.maxLength(MAX_WHICH_LENGTH));
const change = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('add'), factor: newFactor }),
  z.strictObject({ do: z.literal('remove'), factor: which }),
  z.strictObject({ do: z.literal('rename'), factor: which, name }),
  z.strictObject({ do: z.enum(['pause', 'resume']), factor: which }),
]);
/** A code that proves who asks, if one is needed. */
export const proof = z.optional(z.string().check(z.maxLength(MAX_PROOF_LENGTH)));
const proofSchema = z.strictObject({ proof });
const changesSchema = z.strictObject({
  proof,
  check: z.optional(z.literal(true)),
  changes: z.array(change).check(z.minLength(1), z.maxLength(MAX_CHANGES)),
});

/** A factor to add, checked. */
export type CheckedFactor = z.infer<typeof newFactor>;
/** A change, checked. */
export type CheckedChange = z.infer<typeof change>;

/**
 * Checks a ChangesRequest.
 *
 * @param body - as it came
 * @returns the request; secrets are Buffers
 * @throws ControlError when it is not a ChangesRequest; the message never holds a value
 */
export function changesOf(body: unknown): z.infer<typeof changesSchema> {
  return checked(changesSchema, body);
}

/**
 * Checks a body that holds nothing but a proof.
 *
 * @param body - as it came
 * @returns the proof, or undefined
 * @throws ControlError when the body has anything else
 */
export function proofOf(body: unknown): string | undefined {
  return checked(proofSchema, body).proof;
}

function checked<T>(schema: z.ZodMiniType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const place = issue?.path.filter((part) => typeof part === 'string' && part !== 'changes').join('.');
  throw new ControlError(400, 'ERR_BAD_REQUEST', `${place || 'request'}: ${issue?.message ?? 'wrong'}`);
}
