import { readFileSync } from 'node:fs';
import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import fc from 'fast-check';
import { createGuardrails, generateSync } from 'otplib';
import { describe, expect, it } from 'vitest';
import {
  ALGORITHMS,
  CODE_LENGTHS,
  hotpValue,
  MAX_SECRET_BYTES,
  MIN_SECRET_BYTES,
  type CodeGenerator,
} from '../../../src/factors/hotp-value.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/rfc4226-appendix-d.json', import.meta.url), 'utf8'),
) as { secret_hex: string; codes: string[] };

const crypto = new NodeCryptoPlugin();
const guardrails = createGuardrails({ MIN_SECRET_BYTES, MAX_SECRET_BYTES });

/** An independent implementation. */
function otplibValue(generator: CodeGenerator, counter: number): string {
  return generateSync({ strategy: 'hotp', ...generator, counter, crypto, guardrails });
}

describe('hotpValue', () => {
  it.each(vectors.codes.map((code, counter) => [counter, code] as const))(
    'gives the code of RFC 4226, appendix D, for counter %i',
    (counter, code) => {
      const secret = Buffer.from(vectors.secret_hex, 'hex');
      expect(hotpValue({ secret, algorithm: 'sha1', digits: 6 }, counter).toString()).toBe(code);
    },
  );

  it('gives the same as otplib, for all hashes, lengths and counters', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALGORITHMS),
        fc.constantFrom(...CODE_LENGTHS),
        fc.uint8Array({ minLength: 10, maxLength: 128 }),
        fc.oneof(fc.nat(), fc.maxSafeNat()),
        (algorithm, digits, bytes, counter) => {
          const generator = { secret: Buffer.from(bytes), algorithm, digits };
          expect(hotpValue(generator, counter).toString()).toBe(otplibValue(generator, counter));
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
    expect(() => hotpValue({ secret: Buffer.alloc(length, 1), algorithm: 'sha1', digits: 6 }, 0)).toThrow(
      RangeError,
    );
  });

  it.each([-1, 1.5, NaN, 2 ** 53])('refuses the counter %d', (counter) => {
    expect(() => hotpValue({ secret: Buffer.alloc(20, 1), algorithm: 'sha1', digits: 6 }, counter)).toThrow(
      RangeError,
    );
  });
});
