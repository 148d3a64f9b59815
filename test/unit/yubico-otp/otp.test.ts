import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicId, parseOtp } from '../../../src/yubico-otp/index.ts';
import { VirtualYubikey } from '../fixtures/virtual-yubikey.ts';

const MODHEX = 'cbdefghijklnrtuv';
const DVORAK = 'jxe.uidchtnbpygk';

const otps = fc
  .array(fc.constantFrom(...Array.from(MODHEX)), { minLength: 32, maxLength: 48 })
  .map((letters) => letters.join(''));

function onDvorak(text: string): string {
  return Array.from(text, (letter) => DVORAK.charAt(MODHEX.indexOf(letter))).join('');
}

describe('an OTP', () => {
  it('has a public id and an encrypted part', () => {
    expect(parseOtp('dteffujehknhfjbrjnlnldnhcujvddbikngjrtgh')).toEqual({
      text: 'dteffujehknhfjbrjnlnldnhcujvddbikngjrtgh',
      publicId: 'dteffuje',
      token: Buffer.from('69b6481c8baba2b60e8f22179b58cd56', 'hex'),
    });
  });

  it('is read with white space around it and in capitals', () => {
    fc.assert(
      fc.property(
        otps,
        fc.constantFrom('', ' ', '\n', '\r\n', ' \t '),
        fc.constantFrom('', ' ', '\n', '\r\n'),
        fc.func(fc.boolean()),
        (otp, before, after, isCapital) => {
          const typed = Array.from(otp, (letter, index) =>
            isCapital(index) ? letter.toUpperCase() : letter,
          );
          expect(parseOtp(before + typed.join('') + after)?.text).toBe(otp);
        },
      ),
    );
  });

  it('is read as it is typed on a US-Dvorak layout, also with caps lock', () => {
    fc.assert(
      fc.property(otps, fc.boolean(), (otp, capsLock) => {
        const typed = onDvorak(otp);
        fc.pre(!/^[cbdefghijklnrtuv]*$/.test(typed));
        expect(parseOtp(capsLock ? typed.toUpperCase() : typed)?.text).toBe(otp);
      }),
    );
  });

  it('that is modhex as it stands is not translated', () => {
    // Letters that are modhex on both layouts.
    const both = 'cbdeghijkntu'
      .replaceAll(/[^jxe.uidchtnbpygk]/g, '')
      .repeat(4)
      .slice(0, 32);
    expect(parseOtp(both)?.text).toBe(both);
  });

  it('is 32 to 48 letters', () => {
    const letters = 'cbdefghijklnrtuv'.repeat(4);
    for (let length = 0; length <= 64; length++) {
      expect(parseOtp(letters.slice(0, length)) !== undefined, String(length)).toBe(
        length >= 32 && length <= 48,
      );
    }
  });

  it.each(['a', '0', ' ', '-', '\0', '\u212a', 'ı', 'ａ', '%', '&', '\n'])(
    'does not have the character %j',
    (character) => {
      const otp = new VirtualYubikey().touch();
      expect(parseOtp(otp.slice(0, 20) + character + otp.slice(21))).toBeUndefined();
    },
  );

  it('does not mix the layouts', () => {
    expect(parseOtp(`x${'c'.repeat(30)}l`)).toBeUndefined();
  });

  it('is never searched for in long texts, and any text is parsed or refused', () => {
    expect(parseOtp(' '.repeat(100) + new VirtualYubikey().touch())).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        const otp = parseOtp(text);
        expect(otp === undefined || /^[cbdefghijklnrtuv]{32,48}$/.test(otp.text)).toBe(true);
      }),
    );
  });
});

describe('a public id', () => {
  it.each(['', 'c', 'ccccccbcgujh', 'c'.repeat(16)])('is %j', (text) => expect(isPublicId(text)).toBe(true));
  it.each(['C', 'a', 'c'.repeat(17), 'cc\n', ' cc'])('is not %j', (text) =>
    expect(isPublicId(text)).toBe(false),
  );
});
