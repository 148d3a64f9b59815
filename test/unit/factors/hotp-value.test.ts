import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, CODE_LENGTHS, hotpValue, type Algorithm } from '../../../src/factors/hotp-value.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/rfc4226-appendix-d.json', import.meta.url), 'utf8'),
) as { secret_hex: string; codes: string[] };

/** RFC 4226, section 5.3, written a second time: what otplib computes is not taken on trust. */
function reference(algorithm: Algorithm, secret: Buffer, counter: bigint, digits: number): string {
  const moving = Buffer.alloc(8);
  moving.writeBigUInt64BE(counter);
  const mac = createHmac(algorithm, secret).update(moving).digest();
  const offset = mac.at(-1)! & 0xf;
  const truncated = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(truncated % 10 ** digits).padStart(digits, '0');
}

describe('hotpValue', () => {
  it.each(vectors.codes.map((code, counter) => [counter, code] as const))(
    'gives the code of RFC 4226, appendix D, for counter %i',
    (counter, code) => {
      const secret = Buffer.from(vectors.secret_hex, 'hex');
      expect(hotpValue({ secret, algorithm: 'sha1', digits: 6 }, counter).toString()).toBe(code);
    },
  );

  it('gives the same as RFC 4226 read a second time, for all hashes, lengths and counters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALGORITHMS),
        fc.constantFrom(...CODE_LENGTHS),
        fc.uint8Array({ minLength: 10, maxLength: 128 }),
        fc.oneof(fc.nat(), fc.maxSafeNat()),
        (algorithm, digits, bytes, counter) => {
          const secret = Buffer.from(bytes);
          expect(hotpValue({ secret, algorithm, digits }, counter).toString()).toBe(
            reference(algorithm, secret, BigInt(counter), digits),
          );
        },
      ),
    );
  });

  it('leaves the secret as it is', () => {
    const secret = Buffer.from(vectors.secret_hex, 'hex');
    hotpValue({ secret, algorithm: 'sha1', digits: 6 }, 1);
    expect(secret.toString('hex')).toBe(vectors.secret_hex);
  });

  it.each([0, 9, 129])('refuses a secret of %i bytes', (length) => {
    expect(() => hotpValue({ secret: Buffer.alloc(length, 1), algorithm: 'sha1', digits: 6 }, 0)).toThrow();
  });

  it.each([-1, 1.5, NaN, 2 ** 53])('refuses the counter %d', (counter) => {
    expect(() => hotpValue({ secret: Buffer.alloc(20, 1), algorithm: 'sha1', digits: 6 }, counter)).toThrow();
  });
});
