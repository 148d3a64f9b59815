import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase32, encodeBase32 } from '../../../src/factors/base32.ts';

/** RFC 4648, section 10. */
const RFC_4648 = [
  ['f', 'MY======'],
  ['fo', 'MZXQ===='],
  ['foo', 'MZXW6==='],
  ['foob', 'MZXW6YQ='],
  ['fooba', 'MZXW6YTB'],
  ['foobar', 'MZXW6YTBOI======'],
] as const;

describe('base32', () => {
  it.each(RFC_4648)('of "%s" is %s', (plain, text) => {
    expect(encodeBase32(Buffer.from(plain))).toBe(text.replaceAll('=', ''));
    expect(decodeBase32(text)?.toString()).toBe(plain);
    expect(decodeBase32(text.replaceAll('=', ''))?.toString()).toBe(plain);
  });

  it('of nothing is nothing, and nothing is no secret', () => {
    expect(encodeBase32(Buffer.alloc(0))).toBe('');
    for (const text of ['', '====', ' - ', 'A']) {
      expect(decodeBase32(text)).toBeUndefined();
    }
  });

  it('comes back as it was, however people write it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 130 }),
        fc.boolean(),
        fc.constantFrom('', ' ', '-', '\t', ' - '),
        fc.integer({ min: 1, max: 8 }),
        (bytes, lower, separator, group) => {
          const text = encodeBase32(bytes);
          expect(text).toMatch(/^[A-Z2-7]+$/);
          const groups = text.match(new RegExp(`.{1,${group}}`, 'g'))!.join(separator);
          expect(decodeBase32(lower ? groups.toLowerCase() : groups)).toEqual(Buffer.from(bytes));
        },
      ),
    );
  });

  it('drops bits that do not fill a byte', () => {
    // "MZ" has ten bits: eight of "f", and two that are not zero.
    expect(decodeBase32('MZ')?.toString()).toBe('f');
    expect(decodeBase32('MY')?.toString()).toBe('f');
  });

  it.each(['0', '1', '8', '9', '!', '\n', '\0', '=A', 'ä', '\u017f', '\u0131', '\ufb01', '\uff21', '😀'])(
    'refuses the character %j',
    (character) => {
      expect(decodeBase32(`MZXW6YTB${character}MZXW6YTB`)).toBeUndefined();
    },
  );
});
