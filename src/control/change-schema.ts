import { z } from 'zod';
import { decodeBase32 } from '../factors/base32.ts';
import { ALGORITHMS, MAX_SECRET_BYTES, MIN_SECRET_BYTES } from '../factors/hotp-value.ts';
import { RECOVERY_CODE_LENGTH, RECOVERY_CODES } from '../factors/recovery-code.ts';
import { MAX_WINDOW } from '../factors/totp.ts';
import { parseYubikeyLine, YubikeyLineError } from '../factors/yubikey-line.ts';
import { isPublicId, parseOtp } from '../yubico-otp/index.ts';
import {
  FACTOR_NAME,
  MAX_COUNTER,
  MAX_LIMIT_ATTEMPTS,
  MAX_LIMIT_SECONDS,
} from '../enrolments/store/record.ts';
import { ControlError } from './control-error.ts';
import { MAX_CHANGES, MAX_NEW_PERIOD, MAX_PROOF_LENGTH, MIN_NEW_PERIOD } from './requests.ts';

const name = z
  .string()
  .regex(FACTOR_NAME, 'letters, digits and ._@- only, at most 32, beginning with a letter or digit');
const secret = z.string().transform((text, context) => {
  const bytes = decodeBase32(text);
  if (bytes === undefined || bytes.length < MIN_SECRET_BYTES || bytes.length > MAX_SECRET_BYTES) {
    context.addIssue({
      code: 'custom',
      message: `must be base32 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes`,
    });
    return z.NEVER;
  }
  return bytes;
});
const token = {
  name: name.optional(),
  algorithm: z.enum(ALGORITHMS).optional(),
  digits: z.union([z.literal(6), z.literal(7), z.literal(8)], 'must be 6, 7 or 8').optional(),
  secret: secret.optional(),
  window: z.int().min(1).max(MAX_WINDOW).optional(),
  limit: z
    .strictObject({
      attempts: z.int().min(1).max(MAX_LIMIT_ATTEMPTS),
      seconds: z.int().min(1).max(MAX_LIMIT_SECONDS),
    })
    .optional(),
};
const recoveryCode = z
  .string()
  .transform((code) => code.replaceAll('-', '').toUpperCase())
  .refine(
    (code) => code.length === RECOVERY_CODE_LENGTH && /^[A-Z2-7]+$/.test(code),
    `must be ${RECOVERY_CODE_LENGTH} base32 characters`,
  );
const otp = z.string().transform((typed, context) => {
  const parsed = parseOtp(typed);
  if (parsed === undefined) {
    context.addIssue({ code: 'custom', message: 'is not what a YubiKey types' });
    return z.NEVER;
  }
  return parsed;
});
/** What is wrong with a line is told, never what is in it. */
const yubikeyLine = z.string().transform((line, context) => {
  try {
    const secrets = parseYubikeyLine(line);
    if (secrets !== undefined) {
      return secrets;
    }
    context.addIssue({ code: 'custom', message: 'there is no YubiKey in this line' });
  } catch (error) {
    if (!(error instanceof YubikeyLineError)) {
      throw error;
    }
    context.addIssue({ code: 'custom', message: error.message });
  }
  return z.NEVER;
});
const newFactor = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('totp'),
    ...token,
    period: z.int().min(MIN_NEW_PERIOD).max(MAX_NEW_PERIOD).optional(),
    usedStep: z.int().min(0).optional(),
  }),
  z.strictObject({ kind: z.literal('hotp'), ...token, counter: z.int().min(0).max(MAX_COUNTER).optional() }),
  z.strictObject({
    kind: z.literal('recovery'),
    codes: z
      .array(recoveryCode)
      .min(1)
      .max(RECOVERY_CODES)
      .refine((codes) => new Set(codes).size === codes.length, 'two of them are the same')
      .optional(),
  }),
  z
    .strictObject({
      kind: z.literal('yubikey'),
      name: name.optional(),
      otp: otp.optional(),
      secrets: yubikeyLine.optional(),
      publicId: z.string().min(1).refine(isPublicId, 'must be up to 16 letters of modhex').optional(),
    })
    .refine(
      ({ otp: typed, secrets, publicId }) =>
        publicId === undefined ? (typed ?? secrets) !== undefined : (typed ?? secrets) === undefined,
      'must have an OTP, its secrets, or both; or a public id alone',
    ),
]);
const which = z.string().min(1).max(MAX_PROOF_LENGTH);
const change = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('add'), factor: newFactor }),
  z.strictObject({ do: z.literal('remove'), factor: which }),
  z.strictObject({ do: z.literal('rename'), factor: which, name }),
  z.strictObject({ do: z.enum(['pause', 'resume']), factor: which }),
]);
/** A code, where one is needed. */
export const proof = z.string().max(MAX_PROOF_LENGTH).optional();
const proofSchema = z.strictObject({ proof });
const changesSchema = z.strictObject({ proof, changes: z.array(change).min(1).max(MAX_CHANGES) });

/** A factor to add, checked. */
export type CheckedFactor = z.infer<typeof newFactor>;
/** A change, checked. */
export type CheckedChange = z.infer<typeof change>;

/**
 * Checks a ChangesRequest.
 *
 * @param body - as it came
 * @returns the request; secrets are Buffers
 * @throws ControlError when it is not one; the message never holds a value
 */
export function changesOf(body: unknown): z.infer<typeof changesSchema> {
  return checked(changesSchema, body);
}

/**
 * Checks a body that holds nothing but a proof.
 *
 * @param body - as it came
 * @returns the proof, if there is one
 * @throws ControlError when it is something else
 */
export function proofOf(body: unknown): string | undefined {
  return checked(proofSchema, body).proof;
}

function checked<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) {
    return result.data;
  }
  const [issue] = result.error.issues;
  const place = issue?.path.filter((part) => typeof part === 'string' && part !== 'changes').join('.');
  throw new ControlError(400, 'ERR_BAD_REQUEST', `${place || 'request'}: ${issue?.message ?? 'wrong'}`);
}
