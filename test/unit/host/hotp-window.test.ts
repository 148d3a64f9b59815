import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hotpWindow, type HotpWindow } from '../../../src/host/hotp-window.ts';

const appendixB = JSON.parse(
  readFileSync(new URL('../../vectors/rfc6238-appendix-b.json', import.meta.url), 'utf8'),
) as {
  secrets_hex: Record<HotpWindow['algorithm'], string>;
  rows: ({ time: number } & Record<HotpWindow['algorithm'], string>)[];
};

const ALGORITHMS = ['sha1', 'sha256', 'sha512'] as const;

/** RFC 4226, section 5.3, by Node's own HMAC: another implementation. */
function values({ algorithm, secret, digits, first, count }: HotpWindow): string {
  return Array.from({ length: count }, (_, place) => {
    const message = Buffer.alloc(8);
    message.writeBigUInt64BE(BigInt(Math.max(first + place, 0)));
    const mac = createHmac(algorithm, secret).update(message).digest();
    const value = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fff_ffff;
    return String(value % 10 ** digits).padStart(digits, '0');
  }).join('');
}

const WINDOW: HotpWindow = {
  algorithm: 'sha1',
  secret: Buffer.from('12345678901234567890'),
  digits: 6,
  first: 0,
  count: 3,
};

describe('hotpWindow', () => {
  it('gives the first codes of RFC 4226, appendix D, in one call', () => {
    expect(hotpWindow(WINDOW).toString()).toBe('755224287082359152');
  });

  it.each(ALGORITHMS)('gives the codes of RFC 6238, appendix B, with %s', (algorithm) => {
    const secret = Buffer.from(appendixB.secrets_hex[algorithm], 'hex');
    for (const vector of appendixB.rows) {
      const first = Math.floor(vector.time / 30);
      const code = hotpWindow({ algorithm, secret, digits: 8, first, count: 1 });
      expect(code.toString()).toBe(vector[algorithm]);
    }
  });

  it.each(ALGORITHMS)('hashes a key of every length around its blocks as Node does, with %s', (algorithm) => {
    for (let length = 0; length <= 300; length++) {
      const window = { ...WINDOW, algorithm, secret: Buffer.alloc(length, length + 1) };
      expect(hotpWindow(window).toString(), `${length} bytes`).toBe(values(window));
    }
  });

  it('gives what Node gives, for all keys, counters, windows and lengths', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALGORITHMS),
        fc.uint8Array({ maxLength: 1_000 }),
        fc.integer({ min: 1, max: 9 }),
        fc.oneof(
          fc.integer({ min: -20, max: 20 }),
          // The window ends with a safe integer, too, because the oracle uses plain numbers.
          fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER - 40 }),
        ),
        fc.integer({ min: 1, max: 40 }),
        (algorithm, secret, digits, first, count) => {
          const window = { algorithm, secret, digits, first, count };
          expect(hotpWindow(window).toString()).toBe(values(window));
        },
      ),
    );
  });

  it('computes as many values as are allowed', () => {
    const window = { ...WINDOW, count: 4096 };
    expect(hotpWindow(window).toString()).toBe(values(window));
  });

  it('leaves the secret as it is', () => {
    const secret = Buffer.alloc(200, 7);
    hotpWindow({ ...WINDOW, secret });
    expect(secret.equals(Buffer.alloc(200, 7))).toBe(true);
  });

  it.each<[string, Partial<HotpWindow>]>([
    ['no digits', { digits: 0 }],
    ['ten digits', { digits: 10 }],
    ['no values', { count: 0 }],
    ['4,097 values', { count: 4097 }],
    ['one and a half values', { count: 1.5 }],
    ['a counter that is no safe integer', { first: 2 ** 53 }],
    ['a counter that is no number', { first: NaN }],
    ['a secret of more than 64 KiB', { secret: Buffer.alloc(65_537) }],
  ])('refuses %s', (_, wrong) => {
    expect(() => hotpWindow({ ...WINDOW, ...wrong })).toThrow(RangeError);
  });
});
