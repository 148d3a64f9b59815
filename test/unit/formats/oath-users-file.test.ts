import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hotpValue } from '../../../src/factors/hotp-value.ts';
import { readOathUsers } from '../../../src/formats/oath-users-file.ts';

const SECRET = Buffer.from('12345678901234567890');
const KEY = SECRET.toString('hex');
const BASE = { secret: SECRET, algorithm: 'sha1' } as const;

describe('a users file of pam_oath', () => {
  it('has all types of tokens, several for a user, comments and empty lines', () => {
    const text = `# a comment\n\nHOTP alice - ${KEY}\nHOTP/E bob\t+ ${KEY.toUpperCase()}\nHOTP/E/8 bob - ${KEY} 7\nHOTP/T30 carol - ${KEY}\r\nHOTP/T60/7\tcarol\t1234\t${KEY}\n`;
    expect(readOathUsers(text)).toEqual({
      tokens: [
        {
          line: 3,
          user: 'alice',
          factor: { ...BASE, digits: 6, counter: 0 },
          usedStep: undefined,
          pin: false,
        },
        { line: 4, user: 'bob', factor: { ...BASE, digits: 6, counter: 0 }, usedStep: undefined, pin: false },
        { line: 5, user: 'bob', factor: { ...BASE, digits: 8, counter: 7 }, usedStep: undefined, pin: false },
        {
          line: 6,
          user: 'carol',
          factor: { ...BASE, digits: 6, period: 30, window: 3 },
          usedStep: undefined,
          pin: false,
        },
        {
          line: 7,
          user: 'carol',
          factor: { ...BASE, digits: 7, period: 60, window: 3 },
          usedStep: undefined,
          pin: true,
        },
      ],
      problems: [],
    });
  });

  it('keeps the counter of the last code: the next one is one more', () => {
    const { tokens } = readOathUsers(`HOTP alice - ${KEY} 4 338314 2026-11-22T00:08:55L`);
    expect(tokens[0]?.factor).toEqual({ ...BASE, digits: 6, counter: 5 });
  });

  it('tells the step of the last code, also where the clock of the device was ahead', () => {
    const used = new Date(2026, 10, 22, 0, 8, 55).getTime() / 30_000;
    for (const ahead of [-20, -1, 0, 3, 20]) {
      const step = Math.floor(used) + ahead;
      const code = hotpValue({ ...BASE, digits: 6 }, step).toString();
      const { tokens } = readOathUsers(`HOTP/T30 alice - ${KEY} ${ahead} ${code} 2026-11-22T00:08:55L`);
      expect(tokens[0]?.usedStep).toBe(step);
    }
  });

  it('takes the step of the last use if its code matches no step around it', () => {
    const { tokens } = readOathUsers(`HOTP/T30 alice - ${KEY} 0 none 2026-11-22T00:08:55L`);
    expect(tokens[0]?.usedStep).toBe(Math.floor(new Date(2026, 10, 22, 0, 8, 55).getTime() / 30_000));
  });

  it.each([
    [
      `TOTP alice - ${KEY}`,
      'the type must be HOTP, HOTP/E, HOTP/T30 or HOTP/T60, and may end in /6, /7 or /8',
    ],
    [
      `HOTP/T30/9 alice - ${KEY}`,
      'the type must be HOTP, HOTP/E, HOTP/T30 or HOTP/T60, and may end in /6, /7 or /8',
    ],
    ['HOTP', 'there is no user name'],
    ['HOTP alice', 'the key must be pairs of hexadecimal digits'],
    ['HOTP alice - 00', 'a key must have 10 to 128 bytes, not 1'],
    [`HOTP alice - ${KEY}0`, 'the key must be pairs of hexadecimal digits'],
    [`HOTP alice - ${KEY} -1`, 'the counter must be a whole number below 281474976710656'],
    [`HOTP alice - ${KEY} 281474976710656`, 'the counter must be a whole number below 281474976710656'],
    [
      `HOTP alice - ${KEY} 0 755224 yesterday`,
      'the time of the last use must look like 2026-01-31T23:59:59L',
    ],
    [
      `HOTP/T30 alice - ${KEY} 0 755224 2026-99-31T23:59:59L`,
      'the time of the last use must look like 2026-01-31T23:59:59L',
    ],
  ])('says what is wrong with a line: %s', (line, what) => {
    expect(readOathUsers(`HOTP zoe - ${KEY}\n${line}\n`)).toEqual({
      tokens: [expect.objectContaining({ user: 'zoe' })],
      problems: [{ line: 2, what }],
    });
  });

  it('parses any text, and no message quotes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        for (const { what } of readOathUsers(text).problems) {
          expect(what).toMatch(/^(the|a|there|only) [A-Za-z0-9 ,:/-]+$/);
        }
      }),
    );
  });
});
