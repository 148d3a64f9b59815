/* What this library offers. README.md beside this file introduces it. */

export { decodeModhex, encodeModhex } from './modhex.ts';
export { isPublicId, MAX_PUBLIC_ID_LENGTH, parseOtp, TOKEN_LENGTH, type Otp } from './otp.ts';
export {
  AES_KEY_BYTES,
  decryptToken,
  LAST_SESSION,
  PRIVATE_ID_BYTES,
  type KeySecrets,
  type Token,
} from './decrypt-token.ts';
export { validateOnline, type ServerFailure, type Validation } from './validate-online.ts';
export {
  assertValidationSettings,
  MAX_DEADLINE_MS,
  MAX_SERVERS,
  YUBICLOUD,
  type ValidationSettings,
} from './validation-settings.ts';
export type { AnsweredCounters } from './check-answer.ts';
