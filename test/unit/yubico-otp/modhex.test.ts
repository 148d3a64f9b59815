import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeModhex, encodeModhex } from '../../../src/yubico-otp/index.ts';

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/yubico-otp.json', import.meta.url), 'utf8'),
) as { modhex: [string, string][]; modhexOfHex: [string, string][] };

describe('modhex', () => {
  it.each(VECTORS.modhex)('of "%s" is %s', (plain, text) => {
    expect(encodeModhex(Buffer.from(plain))).toBe(text);
    expect(decodeModhex(text)?.toString()).toBe(plain);
  });

  it.each(VECTORS.modhexOfHex)('of the bytes %s is %s', (hex, text) => {
    expect(encodeModhex(Buffer.from(hex, 'hex'))).toBe(text);
    expect(decodeModhex(text)?.toString('hex')).toBe(hex);
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(decodeModhex(encodeModhex(bytes))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each(['cbdef0ghijklnrtuv', 'c', 'cba', 'CB', 'c b', 'cb\n', ' cb', 'cä'])('is not %j', (text) => {
    expect(decodeModhex(text)).toBeUndefined();
  });
});
