import fc from 'fast-check';
import { parse } from '@otplib/uri';
import { describe, expect, it } from 'vitest';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { ALGORITHMS, CODE_LENGTHS } from '../../../src/factors/hotp-value.ts';
import type { Hotp } from '../../../src/factors/hotp.ts';
import { otpauthUri } from '../../../src/formats/otpauth-uri.ts';
import { OtpauthUriError, readOtpauthUri } from '../../../src/formats/read-otpauth-uri.ts';
import type { Totp } from '../../../src/factors/totp.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

const generator = {
  secret: fc.uint8Array({ minLength: 10, maxLength: 128 }).map((bytes) => Buffer.from(bytes)),
  algorithm: fc.constantFrom(...ALGORITHMS),
  digits: fc.constantFrom(...CODE_LENGTHS),
};
const totp = fc.record<Totp>({
  ...generator,
  period: fc.integer({ min: 1, max: 300 }),
  window: fc.constant(3),
});
const hotp = fc.record<Hotp>({ ...generator, counter: fc.integer({ min: 0, max: 2 ** 48 }) });
const name = fc.string({ unit: 'grapheme', maxLength: 12 });

describe('readOtpauthUri', () => {
  it('reads what otpauthUri writes', () => {
    fc.assert(
      fc.property(fc.oneof(totp, hotp), name, name, (factor, issuer, label) => {
        expect(readOtpauthUri(otpauthUri(factor, issuer, label))).toEqual(factor);
      }),
    );
  });

  it('reads the same as otplib', () => {
    fc.assert(
      fc.property(fc.oneof(totp, hotp), name, (factor, label) => {
        const uri = otpauthUri(factor, 'pve1', label);
        const theirs = parse(uri);
        const { secret, algorithm = 'sha1', digits = 6, period = 30, counter } = theirs.params;
        const ours = readOtpauthUri(uri);
        expect(encodeBase32(ours.secret)).toBe(secret);
        expect(ours).toMatchObject({ algorithm, digits });
        expect(ours).toMatchObject(theirs.type === 'totp' ? { period } : { counter });
      }),
    );
  });

  it.each([
    // As Proxmox's dialog writes it, and as its tfa.cfg has it.
    [
      `otpauth://totp/Proxmox%20VE:alice@pam?secret=${SECRET}&period=30&digits=6&algorithm=SHA1&issuer=Proxmox`,
      {},
    ],
    [
      `otpauth://totp/a?secret=${SECRET}&digits=8&algorithm=SHA512&period=60`,
      { digits: 8, algorithm: 'sha512', period: 60 },
    ],
    [`OTPAUTH://TOTP/a?SECRET=${SECRET.toLowerCase()}%3D%3D&Algorithm=hmacsha256`, { algorithm: 'sha256' }],
    [`otpauth://totp/?secret=${SECRET}&image=https%3A%2F%2Fx%2Fy.png#top`, {}],
    [`otpauth://totp/a?secret=${SECRET}&counter=5`, {}],
    [`otpauth://hotp/a?secret=${SECRET}&counter=5&period=30`, { counter: 5 }],
  ])('reads %s', (uri, expected) => {
    const factor = readOtpauthUri(uri);
    expect(factor).toMatchObject({ algorithm: 'sha1', digits: 6, ...expected });
    expect(encodeBase32(factor.secret)).toBe(SECRET);
  });

  it.each([
    ['', 'uri'],
    [SECRET, 'uri'],
    [`otpauth://totp?secret=${SECRET}`, 'uri'],
    [`otpauth-migration://offline?data=${SECRET}`, 'uri'],
    [`otpauth://totp/${'a'.repeat(3_000)}?secret=${SECRET}`, 'uri'],
    [`otpauth://steam/a?secret=${SECRET}`, 'type'],
    ['otpauth://totp/a', 'secret'],
    ['otpauth://totp/a?secret=', 'secret'],
    ['otpauth://totp/a?secret=GEZDGNBV', 'secret'],
    [`otpauth://totp/a?secret=${SECRET}1`, 'secret'],
    [`otpauth://totp/a?secret=%GG${SECRET}`, 'secret'],
    [`otpauth://totp/a?secret=${SECRET}&secret=${SECRET}`, 'secret'],
    [`otpauth://totp/a?secret=${SECRET}&algorithm=MD5`, 'algorithm'],
    [`otpauth://totp/a?secret=${SECRET}&digits=5`, 'digits'],
    [`otpauth://totp/a?secret=${SECRET}&digits=06`, 'digits'],
    [`otpauth://totp/a?secret=${SECRET}&period=0`, 'period'],
    [`otpauth://totp/a?secret=${SECRET}&period=301`, 'period'],
    [`otpauth://totp/a?secret=${SECRET}&period=-30`, 'period'],
    [`otpauth://totp/a?secret=${SECRET}&encoder=steam`, 'encoder'],
    [`otpauth://hotp/a?secret=${SECRET}`, 'counter'],
    [`otpauth://hotp/a?secret=${SECRET}&counter=1e3`, 'counter'],
    [`otpauth://hotp/a?secret=${SECRET}&counter=${2 ** 48 + 1}`, 'counter'],
    [`otpauth://totp/a?${SECRET}=secret`, 'a parameter'],
  ])('refuses %s for its %s', (uri, parameter) => {
    const error = thrownBy(() => readOtpauthUri(uri));
    expect(error).toBeInstanceOf(OtpauthUriError);
    expect(error).toMatchObject({ parameter });
    expect(`${String(error)} ${parameter}`).not.toContain(SECRET.slice(0, 8));
  });

  it('reads or refuses any text, without any other error', () => {
    const piece = fc.constantFrom(
      'secret',
      '=',
      '&',
      SECRET,
      '%',
      'counter',
      '?',
      '#',
      '/',
      'é',
      'digits',
      '6',
    );
    fc.assert(
      fc.property(fc.constantFrom('totp', 'hotp', ''), fc.array(piece), (type, pieces) => {
        const error = thrownBy(() => readOtpauthUri(`otpauth://${type}/a?${pieces.join('')}`));
        expect(error === undefined || error instanceof OtpauthUriError).toBe(true);
        expect(String(error)).not.toContain(SECRET);
      }),
    );
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
