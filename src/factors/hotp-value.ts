import { timingSafeEqual } from 'node:crypto';
import { hotpWindow } from '../host/hotp-window.ts';

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

/** Bytes of a new secret. RFC 4226, section 4, R6 recommends 160 bits; RFC 6238, section 5.1: a key as long as the hash. */
export const SECRET_BYTES: Readonly<Record<Algorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

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
 * @throws RangeError when the secret's length or the counter is out of range
 */
export function hotpValue(generator: CodeGenerator, counter: number): Buffer {
  if (!Number.isSafeInteger(counter) || counter < 0) {
    throw new RangeError(`A counter is a safe integer from 0 on, not ${counter}`);
  }
  assertSecret(generator);
  return hotpWindow({ ...generator, first: counter, count: 1 });
}

/**
 * Looks for a code among the values of a window. Every value is computed and compared in constant time, whatever matches.
 *
 * @param generator - secret, hash function and length
 * @param code - what the person typed, ASCII digits
 * @param first - the first counter; those below zero match nothing, and cost as much
 * @param count - how many, 1 to 4,096
 * @returns the last counter whose code this is, or undefined
 * @throws RangeError when the secret's length or the window is out of range
 */
export function lastMatch(
  generator: CodeGenerator,
  code: Uint8Array,
  first: number,
  count: number,
): number | undefined {
  assertSecret(generator);
  const { digits } = generator;
  const values = hotpWindow({ ...generator, first, count });
  let matched: number | undefined;
  for (let place = 0; place < count; place++) {
    const value = values.subarray(place * digits, (place + 1) * digits);
    if (code.length === digits && timingSafeEqual(code, value) && first + place >= 0) {
      matched = first + place;
    }
  }
  values.fill(0);
  return matched;
}

function assertSecret({ secret }: CodeGenerator): void {
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new RangeError(
      `A secret has ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, not ${secret.length}`,
    );
  }
}
