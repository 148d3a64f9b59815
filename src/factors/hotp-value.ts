import { createHmac } from 'node:crypto';

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

const COUNTER_BYTES = 8;
/** Bytes of a new secret. RFC 4226, section 4, R6 recommends 160 bits; RFC 6238, section 5.1: a key as long as the hash. */
export const SECRET_BYTES: Readonly<Record<Algorithm, number>> = { sha1: 20, sha256: 32, sha512: 64 };

const ASCII_ZERO = 0x30;

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
export function hotpValue({ secret, algorithm, digits }: CodeGenerator, counter: number): Buffer {
  if (secret.length < MIN_SECRET_BYTES || secret.length > MAX_SECRET_BYTES) {
    throw new RangeError(
      `A secret has ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, not ${secret.length}`,
    );
  }
  if (!Number.isSafeInteger(counter) || counter < 0) {
    throw new RangeError(`A counter is a safe integer from 0 on, not ${counter}`);
  }
  // Section 5.2: the counter is 8 bytes, the high-order one first.
  const moving = Buffer.alloc(COUNTER_BYTES);
  moving.writeUInt32BE(Math.floor(counter / 2 ** 32), 0);
  moving.writeUInt32BE(counter % 2 ** 32, 4);
  const mac = createHmac(algorithm, secret).update(moving).digest();
  // Section 5.3: dynamic truncation.
  const offset = mac.readUInt8(mac.length - 1) & 0x0f;
  const code = Buffer.alloc(digits);
  let value = mac.readUInt32BE(offset) & 0x7fff_ffff;
  for (let place = digits - 1; place >= 0; place--) {
    code[place] = ASCII_ZERO + (value % 10);
    value = Math.floor(value / 10);
  }
  mac.fill(0);
  return code;
}
