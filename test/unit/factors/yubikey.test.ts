import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchYubikey, yubikeyMark } from '../../../src/factors/yubikey.ts';
import { VirtualYubikey } from '../fixtures/virtual-yubikey.ts';

const counters = fc.tuple(fc.nat(0x7ffe), fc.nat(0xff));

describe('the mark of an OTP', () => {
  it('grows as the pair of session counter and use does', () => {
    fc.assert(
      fc.property(counters, counters, ([session, use], [otherSession, otherUse]) => {
        const grows = session === otherSession ? use < otherUse : session < otherSession;
        expect(yubikeyMark(session, use)! < yubikeyMark(otherSession, otherUse)!).toBe(grows);
      }),
    );
  });

  it('does not depend on bit 15 of the session counter', () => {
    expect(yubikeyMark(0x8019, 3)).toBe(yubikeyMark(0x19, 3));
  });

  it.each([
    [-1, 0],
    [0x10000, 0],
    [0, -1],
    [0, 256],
    [0.5, 0],
    [Number.NaN, 0],
  ])('of %d and %d does not exist', (session, use) => {
    expect(yubikeyMark(session, use)).toBeUndefined();
  });
});

describe('an OTP', () => {
  const yubikey = new VirtualYubikey();

  it('of the key is found with its mark, also when caps lock triggered it', () => {
    fc.assert(
      fc.property(counters, fc.boolean(), ([counter, use], flag) => {
        const otp = yubikey.otp({ counter: flag ? counter | 0x8000 : counter, use });
        expect(matchYubikey(yubikey, otp)).toEqual({ is: 'intact', mark: counter * 256 + use });
      }),
    );
  });

  it('of another key is not found, whichever of its three parts differs', () => {
    const { publicId, privateId, aesKey } = yubikey;
    const other = new VirtualYubikey();
    const otp = yubikey.touch();
    expect(matchYubikey({ publicId: other.publicId, privateId, aesKey }, otp)).toBeUndefined();
    expect(matchYubikey({ publicId, privateId: other.privateId, aesKey }, otp)).toBeUndefined();
    expect(matchYubikey({ publicId, privateId, aesKey: other.aesKey }, otp)).toBeUndefined();
    expect(matchYubikey(yubikey, 'not an OTP')).toBeUndefined();
    expect(matchYubikey(yubikey, otp.slice(1))).toBeUndefined();
  });

  it('of a key whose counter is at its end is recognised', () => {
    expect(matchYubikey(yubikey, yubikey.otp({ counter: 0x7fff, use: 1 }))).toEqual({ is: 'worn-out' });
    expect(matchYubikey(yubikey, yubikey.otp({ counter: 0x7ffe, use: 255 }))).toEqual({
      is: 'intact',
      mark: 0x7ffeff,
    });
  });
});
