import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc16, CRC_RESIDUE } from '../../../src/yubico-otp/crc16.ts';
import { decryptToken, encodeModhex, parseOtp, type Token } from '../../../src/yubico-otp/index.ts';
import { VirtualYubikey } from '../fixtures/virtual-yubikey.ts';

interface OtpVector {
  otp: string;
  key: string;
  uid: string;
  pubid?: string;
  ctr: number;
  tstp_lo?: number;
  tstp_hi?: number;
  tstp?: number;
  use: number;
  rnd: number;
}

const VECTORS = JSON.parse(
  readFileSync(new URL('../../vectors/yubico-otp.json', import.meta.url), 'utf8'),
) as { crc16: [string, number][]; otps: OtpVector[] };

const fields = fc.record({
  counter: fc.nat(0xffff),
  use: fc.nat(0xff),
  timestamp: fc.nat(0xffffff),
  random: fc.nat(0xffff),
});
const keys = fc
  .record({ aesKey: bytes(16), privateId: bytes(6) })
  .map((secrets) => new VirtualYubikey(secrets));

function bytes(length: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array));
}

function decrypt(otp: string, key: VirtualYubikey): Token | undefined {
  return decryptToken(parseOtp(otp)!.token, key);
}

describe('CRC-16', () => {
  it.each(VECTORS.crc16)('of %s is %i', (hex, crc) => {
    expect(crc16(Buffer.from(hex, 'hex'))).toBe(crc);
  });

  it('leaves its residue over a text that ends with its own CRC', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (text) => {
        const end = Buffer.alloc(2);
        end.writeUInt16LE(~crc16(text) & 0xffff);
        expect(crc16(Buffer.concat([text, end]))).toBe(CRC_RESIDUE);
      }),
    );
  });
});

describe('an OTP', () => {
  it.each(VECTORS.otps)('$otp says what its vector says', (vector) => {
    const otp = parseOtp(vector.otp)!;
    expect(otp.publicId).toBe(vector.pubid ?? '');
    const secrets = {
      aesKey: Buffer.from(vector.key, 'hex'),
      privateId: Buffer.from(vector.uid, 'hex'),
    };
    expect(decryptToken(otp.token, secrets)).toEqual({
      // Bit 15 is a flag and does not count.
      sessionCounter: vector.ctr & 0x7fff,
      sessionUse: vector.use,
      timestamp: vector.tstp ?? (vector.tstp_hi! << 16) | vector.tstp_lo!,
      random: vector.rnd,
    });
  });

  it('says what the key put into it', () => {
    fc.assert(
      fc.property(keys, fields, (key, plain) => {
        expect(decrypt(key.otp(plain), key)).toEqual({
          sessionCounter: plain.counter & 0x7fff,
          sessionUse: plain.use,
          timestamp: plain.timestamp,
          random: plain.random,
        });
      }),
    );
  });

  it('with any single bit changed is refused', () => {
    fc.assert(
      fc.property(keys, fields, (key, plain) => {
        const { token } = parseOtp(key.otp(plain))!;
        for (let bit = 0; bit < 128; bit++) {
          const changed = Buffer.from(token);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          expect(decryptToken(changed, key)).toBeUndefined();
          expect(decrypt(encodeModhex(changed), key)).toBeUndefined();
        }
      }),
      { numRuns: 20 },
    );
  });

  it('of another key is refused, and so is one with another private id', () => {
    fc.assert(
      fc.property(keys, fields, bytes(16), fc.nat(47), (key, plain, aesKey, bit) => {
        fc.pre(!aesKey.equals(key.aesKey));
        expect(
          decrypt(key.otp(plain), new VirtualYubikey({ privateId: key.privateId, aesKey })),
        ).toBeUndefined();
        // The CRC is right here: only the private id tells.
        const privateId = Buffer.from(key.privateId);
        privateId[bit >> 3]! ^= 1 << (bit & 7);
        expect(
          decrypt(key.otp(plain), new VirtualYubikey({ aesKey: key.aesKey, privateId })),
        ).toBeUndefined();
      }),
    );
  });

  it('with a wrong CRC is refused, though the private id is right', () => {
    const key = new VirtualYubikey();
    for (const place of [6, 11, 12, 14, 15]) {
      const otp = key.otp({ counter: 1, use: 1 }, (block) => (block[place]! ^= 1));
      expect(decrypt(otp, key)).toBeUndefined();
    }
  });

  it.each([
    ['token', 15, 16, 6],
    ['AES key', 16, 24, 6],
    ['private id', 16, 16, 5],
  ])('has a %s of its length', (name, token, aesKey, privateId) => {
    const secrets = { aesKey: Buffer.alloc(aesKey), privateId: Buffer.alloc(privateId) };
    expect(() => decryptToken(Buffer.alloc(token), secrets)).toThrow(RangeError);
    expect(() => decryptToken(Buffer.alloc(token), secrets)).toThrow(name);
  });
});
