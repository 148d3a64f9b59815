import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYubikeyLine, YubikeyLineError } from '../../../src/formats/yubikey-line.ts';

const KEY = {
  publicId: 'vvccccdrulnd',
  privateId: Buffer.from('f1fa0ac7ebaf', 'hex'),
  aesKey: Buffer.from('64fcb4ba60cd48cb55a3e5b2b0e5e1a8', 'hex'),
};
const [ID, UID, AES] = [KEY.publicId, 'f1fa0ac7ebaf', '64fcb4ba60cd48cb55a3e5b2b0e5e1a8'];

const LINES: Record<string, string> = {
  ykman: `7654321,${ID},${UID},${AES},,2023-05-08T10:09:51,`,
  'ykman, with an access code': `7654321,${ID},${UID},${AES},000000000000,2023-05-08T10:09:51,`,
  'ykksm-gen-keys': `1,${ID},${UID},${AES},64c8b3a9d1f2,2009-12-21T15:05:22,`,
  "yubikey-ksm's export": `1,${ID},${UID},${AES},64c8b3a9d1f2,2009-12-21T15:05:22,2010-01-01T00:00:00,h`,
  'the Personalization Tool': `Yubico OTP,12/11/2013 11:10,1,${ID},${UID},${AES},,,0,0,0,0,0,0,0,0,0,0`,
  'four fields alone': `0,${ID},${UID},${AES}`,
  'capitals, spaces and a Windows line end': ` 1 , ${ID.toUpperCase()} , ${UID.toUpperCase()} ,${AES.toUpperCase()},\r\n`,
};

describe('a line of', () => {
  it.each(Object.entries(LINES))('%s', (_, line) => {
    expect(parseYubikeyLine(line)).toEqual(KEY);
  });

  it.each([
    '',
    '  ',
    '\r\n',
    '# ykksm 1',
    '# serialnr,identity,internaluid,aeskey',
    'LOGGING START,12/11/2013 11:10',
  ])('no key: %j', (line) => {
    expect(parseYubikeyLine(line)).toBeUndefined();
  });
});

describe('a line', () => {
  it.each([
    ['without fields', 'hello', 'field 3 must be the private id'],
    ['of an HOTP configuration', `OATH-HOTP,12/11/2013 11:10,1,,${AES}`, 'field'],
    ['with a short private id', `1,${ID},${UID.slice(1)},${AES},`, 'field 3 must be the private id'],
    ['with a long AES key', `1,${ID},${UID},${AES}00,`, 'field 4 must be the AES key'],
    ['with a hexadecimal public id', `1,ff0000a1b2c3,${UID},${AES},`, 'field 2 must be the public id'],
    ['with a long public id', `1,${'c'.repeat(17)},${UID},${AES},`, 'field 2 must be the public id'],
    ['of the tool, with no AES key', `Yubico OTP,1,1,${ID},${UID},,`, 'field 6 must be the AES key'],
    ['that is too long', `1,${ID},${UID},${AES},${'x'.repeat(512)}`, 'longer than 512'],
    ['with another separator', `1;${ID};${UID};${AES}`, 'field'],
  ])('%s is refused, and the message holds no secret', (_, line, message) => {
    const parse = (): unknown => parseYubikeyLine(line);
    expect(parse).toThrow(YubikeyLineError);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow(AES);
    expect(parse).not.toThrow(UID.slice(1));
  });

  it('is read as it was written, whatever the other fields hold', () => {
    const hex = (digits: number): fc.Arbitrary<string> =>
      fc
        .uint8Array({ minLength: digits / 2, maxLength: digits / 2 })
        .map((bytes) => Buffer.from(bytes).toString('hex'));
    const publicIds = fc
      .array(fc.constantFrom(...Array.from('cbdefghijklnrtuv')), { maxLength: 16 })
      .map((letters) => letters.join(''));
    const rest = fc.array(fc.stringMatching(/^[^,\n]{0,20}$/), { maxLength: 8 });
    fc.assert(
      fc.property(
        fc.nat(),
        publicIds,
        hex(12),
        hex(32),
        rest,
        (serial, publicId, privateId, aesKey, more) => {
          expect(parseYubikeyLine([String(serial), publicId, privateId, aesKey, ...more].join(','))).toEqual({
            publicId,
            privateId: Buffer.from(privateId, 'hex'),
            aesKey: Buffer.from(aesKey, 'hex'),
          });
        },
      ),
    );
  });

  it('of anything is read, skipped or refused in this way', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-f,]{0,80}$/)), (line) => {
        try {
          const key = parseYubikeyLine(line);
          expect(key === undefined || (key.aesKey.length === 16 && key.privateId.length === 6)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(YubikeyLineError);
        }
      }),
    );
  });
});
