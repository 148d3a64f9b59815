import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loggable } from '../../../src/log/escape.ts';

describe('loggable', () => {
  it.each(['alice', 'sshd', '192.0.2.1', 'fe80::1%eth0', '/dev/pts/3', 'a@b', 'a+b,c-d_e'])(
    'leaves %j as it is',
    (text) => {
      expect(loggable(text)).toBe(text);
      expect(loggable(Buffer.from(text))).toBe(text);
    },
  );

  it.each([
    ['', '""'],
    ['a b', '"a b"'],
    ['a=b', String.raw`"a\u003db"`],
    ['x rhost=1.2.3.4', String.raw`"x rhost\u003d1.2.3.4"`],
    ['x" rhost=1.2.3.4', String.raw`"x\" rhost\u003d1.2.3.4"`],
    ['x\\" rhost=1.2.3.4', String.raw`"x\\\" rhost\u003d1.2.3.4"`],
    ['a\nb', String.raw`"a\u000ab"`],
    ['a\r\0\t', String.raw`"a\u000d\u0000\u0009"`],
    ['\u001b[31m', String.raw`"\u001b[31m"`],
    ['\u007f\u0085\u009b', String.raw`"\u007f\u0085\u009b"`],
    ['\u202egpj.exe', String.raw`"\u202egpj.exe"`],
    ['\u2066\u2069\u200f\u061c', String.raw`"\u2066\u2069\u200f\u061c"`],
    ['\u2028\u2029\ufeff\u200b\u00ad', String.raw`"\u2028\u2029\ufeff\u200b\u00ad"`],
    ['\ud800', String.raw`"\ud800"`],
    ['\udc00\ud800', String.raw`"\udc00\ud800"`],
    ['jürgen', '"jürgen"'],
    ['😀', '"😀"'],
  ])('writes %j as %s', (text, expected) => {
    expect(loggable(text)).toBe(expected);
  });

  it('reads bytes as UTF-8, and bytes that are none as a replacement', () => {
    expect(loggable(Buffer.from('jürgen'))).toBe('"jürgen"');
    expect(loggable(Buffer.from('61ff62', 'hex'))).toBe('"a\ufffdb"');
  });

  it('cuts what is long, even in the middle of a pair', () => {
    expect(loggable('a'.repeat(256))).toBe('a'.repeat(256));
    expect(loggable('a'.repeat(257))).toBe(`"${'a'.repeat(256)}..."`);
    expect(loggable(`${'a'.repeat(255)}😀`)).toBe(String.raw`"${'a'.repeat(255)}\ud83d..."`);
    expect(loggable('\n'.repeat(1_000_000)).length).toBe(256 * 6 + 5);
  });

  it('is printable and of one word or in quotes, whatever comes', () => {
    const units = fc
      .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(10, 34, 61, 92, 0xd83d)), {
        maxLength: 300,
      })
      .map((codes) => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, (text) => {
        expect(loggable(text)).toMatch(/^(?:[A-Za-z0-9._:@/%+,-]+|"(?:[^"\\]|\\["\\]|\\u[0-9a-f]{4})*")$/);
        expect(loggable(text)).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|\p{Bidi_Control}/u);
      }),
    );
  });
});
