import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseSecret } from '../../../../src/command/secrets/own-secret.ts';
import { encodeBase32 } from '../../../../src/factors/base32.ts';

it.each([
  ['GEZDGNBVGY3TQOJQ', '31323334353637383930'],
  [' gezd gnbv gy3t qojq ', '31323334353637383930'],
  ['v2-GEZDGNBVGY3TQOJQ', '31323334353637383930'],
  ['0x31323334353637383930', '31323334353637383930'],
  ['v2-0x313233343536373839FF', '313233343536373839ff'],
  // Proxmox's older form.
  ['3132333435363738393031323334353637383930', '3132333435363738393031323334353637383930'],
])('reads %j', (text, hexadecimal) => {
  expect(parseSecret(text)?.toString('hex')).toBe(hexadecimal);
});

it.each(['', 'GEZDGNBVGY3TQOJ', '0x3132', '0x3132333435363738393', 'A'.repeat(207), 'no base32!', '0xzz'])(
  'refuses %j',
  (text) => {
    expect(parseSecret(text)).toBeUndefined();
  },
);

it('reads every secret as base32 and as hexadecimal', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 10, maxLength: 128 }), (bytes) => {
      const secret = Buffer.from(bytes);
      expect(parseSecret(encodeBase32(secret))).toEqual(secret);
      expect(parseSecret(`0x${secret.toString('hex')}`)).toEqual(secret);
    }),
  );
});
