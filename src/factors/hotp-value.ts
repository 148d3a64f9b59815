import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { createGuardrails, generateSync } from 'otplib';

/** The hash functions of RFC 6238, section 1.2. */
export const ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Lengths of a code: RFC 4226, section 4, R4 and section 5.3. */
export const CODE_LENGTHS = [6, 7, 8] as const;
export type CodeLength = (typeof CODE_LENGTHS)[number];

/** Shorter secrets are refused: 80 bits is what the oldest apps hand out (16 base32 characters). */
export const MIN_SECRET_BYTES = 10;
/** Longer ones are refused: the block of SHA-512, beyond which HMAC hashes its key anyway. */
export const MAX_SECRET_BYTES = 128;

const crypto = new NodeCryptoPlugin();
const guardrails = createGuardrails({ MIN_SECRET_BYTES, MAX_SECRET_BYTES });

/** What it takes to compute a code. */
export interface CodeGenerator {
  /** The shared secret, 10 to 128 bytes. */
  readonly secret: Buffer;
  readonly algorithm: Algorithm;
  readonly digits: CodeLength;
}

/**
 * The HOTP value of RFC 4226, section 5.3, with the hash functions of RFC 6238.
 *
 * @param generator - secret, hash function and length
 * @param counter - the moving factor, a safe integer from 0 on
 * @returns the code as ASCII digits, `digits` bytes. A secret: wipe it after use.
 * @throws Error (of otplib) when the secret's length or the counter is out of range
 */
export function hotpValue(generator: CodeGenerator, counter: number): Buffer {
  const code = generateSync({
    strategy: 'hotp',
    secret: generator.secret,
    counter,
    algorithm: generator.algorithm,
    digits: generator.digits,
    crypto,
    guardrails,
  });
  return Buffer.from(code, 'latin1');
}
