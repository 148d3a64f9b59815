import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase32 } from '../../../src/factors/base32.ts';
import { otpauthUri } from '../../../src/formats/otpauth-uri.ts';
import type { Totp } from '../../../src/factors/totp.ts';

const usual: Totp = {
  secret: Buffer.from('12345678901234567890'),
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  window: 3,
};

describe('otpauthUri', () => {
  it('leaves out what is as usual', () => {
    expect(otpauthUri(usual, 'pve1', 'alice')).toBe(
      'otpauth://totp/pve1:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=pve1',
    );
  });

  it('says what is not as usual', () => {
    const uri = otpauthUri({ ...usual, algorithm: 'sha512', digits: 8, period: 60 }, 'pve1', 'alice');
    expect(uri).toMatch(/&algorithm=SHA512&digits=8&period=60$/);
  });

  it('lets no name break out of its place', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1 }),
        fc.string({ unit: 'grapheme', minLength: 1 }),
        (issuer, label) => {
          const uri = otpauthUri(usual, issuer, label);
          const [, path, query] = /^otpauth:\/\/totp\/([^?#]*)\?([^#]*)$/.exec(uri)!;
          expect(path!.split(':').map(decodeURIComponent)).toEqual([issuer, label]);
          const parameters = query!.split('&').map((pair) => pair.split('='));
          expect(parameters.map(([name]) => name)).toEqual(['secret', 'issuer']);
          expect(decodeURIComponent(parameters[1]![1]!)).toBe(issuer);
          expect(decodeBase32(parameters[0]![1]!)).toEqual(usual.secret);
        },
      ),
    );
  });
});
