import { describe, expect, it } from 'vitest';
import { readTokenLines } from '../../../../src/command/secrets/token-lines.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const HEX = '3132333435363738393031323334353637383930';
const TOTP = { kind: 'totp', imported: true, secret: SECRET };

describe('readTokenLines', () => {
  it('reads URIs and keys, one on each line, and skips comments and empty lines', () => {
    expect(
      readTokenLines(
        [
          '# of the old machine',
          '',
          `  otpauth://totp/a?secret=${SECRET}&period=60\t`,
          `otpauth://hotp/a?secret=${SECRET}&counter=7&digits=8`,
          HEX,
          `v2-0x${HEX}`,
          `0x${HEX}`,
          `v2-${SECRET}`,
          'gezd gnbv gy3t qojq gezd gnbv gy3t qojq',
        ],
        {},
      ),
    ).toEqual([
      { ...TOTP, algorithm: 'sha1', digits: 6, period: 60 },
      { ...TOTP, kind: 'hotp', algorithm: 'sha1', digits: 8, counter: 7 },
      ...Array.from({ length: 5 }, () => TOTP),
    ]);
  });

  it('reads several keys in one line, as Proxmox has them', () => {
    const keys = readTokenLines([`v2-0x${HEX}; JBSWY3DPEHPK3PXP,GEZDGNBVGY3TQOJQ ${HEX}`], {});
    expect(keys.map((key) => 'secret' in key && key.secret)).toEqual([
      ...[SECRET, 'JBSWY3DPEHPK3PXP', 'GEZDGNBVGY3TQOJQ', SECRET],
    ]);
  });

  it('keys take their settings from the options, URIs have their own', () => {
    expect(readTokenLines([HEX, `otpauth://totp/a?secret=${SECRET}`], { digits: 8, period: 60 })).toEqual([
      { ...TOTP, digits: 8, period: 60 },
      { ...TOTP, algorithm: 'sha1', digits: 6, period: 30 },
    ]);
  });

  const EXPORT =
    'otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC';
  const EXPORTED = { ...TOTP, algorithm: 'sha1', digits: 6, period: 30, secret: 'JBSWY3DPEHPK3PXP' };

  it('reads exports of the app, and picks the chosen accounts', () => {
    expect(readTokenLines([EXPORT], {})).toEqual([EXPORTED]);
    expect(readTokenLines([EXPORT], { account: 'ALICE@' })).toEqual([EXPORTED]);
    const [, data = ''] = EXPORT.split('=');
    const twice = `otpauth-migration://offline?data=${data}${data}`;
    expect(() => readTokenLines([twice], {})).toThrow(
      'line 1, export: it holds 2 accounts: choose one with --account and a part of its name: "Example:alice@google.com", "Example:alice@google.com"',
    );
    expect(readTokenLines([twice], { account: 'example' })).toEqual([EXPORTED, EXPORTED]);
    expect(() => readTokenLines([EXPORT], { account: 'bob' })).toThrow(
      'line 1, export: no account matches --account: it holds "Example:alice@google.com"',
    );
    expect(() => readTokenLines([EXPORT.slice(0, -5)], {})).toThrow(
      'line 1, export: the data ends in the middle',
    );
  });

  it('names each wrong line and parameter, but never its contents', () => {
    const wrong = [
      `otpauth://hotp/a?secret=${SECRET}`,
      HEX,
      `${SECRET}!`,
      `otpauth://totp/a?secret=${SECRET}&digits=9`,
    ];
    expect(() => readTokenLines(wrong, {})).toThrow(
      [
        'line 1, counter: it is missing: add counter=N, the number of the next code',
        'line 3, key: it must be an otpauth:// URI, or 10 to 128 bytes in base32 or hexadecimal, as oathkeygen and Proxmox have them',
        'line 4, digits: it must be 6, 7 or 8',
        'Nothing was imported.',
      ].join('\n'),
    );
  });

  it('needs at least one, and no more than fit in a request', () => {
    expect(() => readTokenLines(['# nothing'], {})).toThrow('There is no line with a URI or a key.');
    expect(() =>
      readTokenLines(
        Array.from({ length: 33 }, () => HEX),
        {},
      ),
    ).toThrow('more than 32');
  });
});
