import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeBase32 } from '../../../src/factors/base32.ts';
import { readOathKey } from '../../../src/formats/oath-key.ts';

it.each([
  ['v2-0x48656c6c6f21deadbeef', '48656c6c6f21deadbeef'],
  ['v2-0x48656C6C6F21DEADBEEF', '48656c6c6f21deadbeef'],
  // Perl's pack("H*", "abc") is "\xab\xc0".
  ['v2-0xabc', 'abc0'],
  ['v2-JBSWY3DPEHPK3PXP', '48656c6c6f21deadbeef'],
  ['v2-MZXW6YQ=', '666f6f62'],
  ['JBSWY3DPEHPK3PXP', '48656c6c6f21deadbeef'],
  ['3132333435363738393031323334353637383930', '3132333435363738393031323334353637383930'],
  // Base32, too, by its characters: 40 of them are hexadecimal.
  ['ABCDEF2345ABCDEF2345ABCDEF2345ABCDEF2345', 'abcdef2345abcdef2345abcdef2345abcdef2345'],
])('%s is %s', (key, bytes) => {
  expect(readOathKey(key)?.toString('hex')).toBe(bytes);
});

it.each([
  '',
  'v2-',
  'v2-0x',
  'v2-0xg0',
  'V2-0x48656c6c6f21deadbeef',
  'v2-jbswy3dpehpk3pxp',
  'v2-=',
  'v2-A',
  'v2-MZ=XW6YQ',
  'jbswy3dpehpk3pxp',
  '0x48656c6c6f21deadbeef',
  'JBSWY3DPEHPK3PX',
  'JBSWY3DPEHPK3PXPA',
  'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
  '313233343536373839303132333435363738393',
  '31323334353637383930313233343536373839301',
  ' JBSWY3DPEHPK3PXP',
  'JBSWY3DPEHPK3PXP\n',
])('%j is no key', (key) => {
  expect(readOathKey(key)).toBeUndefined();
});

it('comes back as it was, in each form', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 130 }), (bytes) => {
      const secret = Buffer.from(bytes);
      expect(readOathKey(`v2-0x${secret.toString('hex')}`)).toEqual(secret);
      expect(readOathKey(`v2-${encodeBase32(secret)}`)).toEqual(secret);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (bytes) => {
      const secret = Buffer.from(bytes);
      expect(readOathKey(secret.toString('hex'))).toEqual(secret);
      expect(readOathKey(encodeBase32(secret.subarray(0, 10)))).toEqual(secret.subarray(0, 10));
    }),
  );
});

it('any text is accepted or refused, without an exception', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      readOathKey(`v2-${text}`);
      readOathKey(text);
    }),
  );
});
