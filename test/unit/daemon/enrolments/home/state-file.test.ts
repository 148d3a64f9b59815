import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isRateLimited, withAttempt } from '../../../../../src/daemon/enrolments/home/rate-limit.ts';
import {
  modeOf,
  rateLimitOf,
  secretOf,
  stepSizeOf,
  windowSizeOf,
} from '../../../../../src/daemon/enrolments/home/settings.ts';
import {
  isTimeBased,
  optionValue,
  scratchCodes,
  secretText,
  withoutScratchCode,
  withOption,
} from '../../../../../src/daemon/enrolments/home/state-file.ts';

const SECRET = 'JBSWY3DPEHPK3PXP';
const FILE = `${SECRET}\n" RATE_LIMIT 3 30\n" WINDOW_SIZE 17\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n33333333\n`;

describe('optionValue', () => {
  it.each([
    [FILE, 'WINDOW_SIZE', '17'],
    [FILE, 'DISALLOW_REUSE', ''],
    [FILE, 'WINDOW', undefined],
    [FILE, 'STEP_SIZE', undefined],
    ['S\r\n" A 1\r\n" A 2\r\n', 'A', '1'],
    ['S\n" A \t 1 2', 'A', '1 2'],
    ['S\n"  A 1\n', 'A', undefined],
    ['S\n A 1\n"A 1\n', 'A', undefined],
    ['" A first\nS\n', 'A', 'first'],
    ['', 'A', undefined],
  ])('of %j, %s is %j', (text, key, value) => {
    expect(optionValue(text, key)).toBe(value);
  });
});

describe('withOption', () => {
  it.each([
    ['replaces in place', 'S\n" A 1\n" B 2\n12345678\n', 'A', '9 9', 'S\n" A 9 9\n" B 2\n12345678\n'],
    [
      'goes behind the first line when it is new',
      'S\n" B 2\n12345678\n',
      'A',
      '1',
      'S\n" A 1\n" B 2\n12345678\n',
    ],
    ['removes later lines of the key', 'S\n" A 1\n" B 2\n" A 3\nx\n" A\n', 'A', '4', 'S\n" A 4\n" B 2\nx\n'],
    ['ends its line with a line feed', 'S\r\n" A 1\r\n" B 2\r\n', 'A', '3', 'S\r\n" A 3\n" B 2\r\n'],
    ['leaves a blank behind the key when empty', 'S\n" A 1\n', 'A', '', 'S\n" A \n'],
    ['begins a line where the file has no line end', 'S', 'A', '1', 'S\n" A 1\n'],
    ['completes the last line', 'S\n" A 1', 'A', '2', 'S\n" A 2\n'],
  ])('%s', (_name, text, key, value, expected) => {
    expect(withOption(text, key, value)).toBe(expected);
  });

  it('sets what optionValue reads, and leaves every other line as it is', () => {
    const line = fc.constantFrom('" A 1', '" B x y', '" C', '11111111', '', 'anything else', '" UNKNOWN z');
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(line), end, fc.stringMatching(/^[0-9 ]{0,8}$/), (all, newline, value) => {
        const text = [SECRET, ...all].join(newline);
        const changed = withOption(text, 'A', value);
        expect(optionValue(changed, 'A')).toBe(value.replace(/^ +/, ''));
        const others = (of: string): string[] =>
          of.split(/[\r\n]+/).filter((one) => one !== '' && !/^" A( |$)/.test(one));
        expect(others(changed)).toEqual(others(text));
        expect(withOption(changed, 'A', value)).toBe(changed);
      }),
    );
  });
});

describe('scratch codes', () => {
  it('are the lines of eight digits, up to the first line that is something else', () => {
    expect(scratchCodes(FILE)).toEqual([11111111, 22222222, 33333333]);
    expect(scratchCodes('S\n11111111\r\n\n 22222222\n" A\n33333333\n# no\n44444444\n')).toEqual([
      11111111, 22222222, 33333333,
    ]);
    expect(scratchCodes('11111111')).toEqual([]);
    expect(scratchCodes('11111111\n01234567\n22222222\n')).toEqual([]);
    expect(scratchCodes('S\n123456789\n')).toEqual([]);
  });

  it('go with their line', () => {
    expect(withoutScratchCode(FILE, 22222222)).toBe(FILE.replace('22222222\n', ''));
    expect(withoutScratchCode('S\r\n11111111\r\n\r\n22222222', 11111111)).toBe('S\r\n22222222');
    expect(withoutScratchCode('S\n11111111\n11111111\n', 11111111)).toBe('S\n11111111\n');
    expect(withoutScratchCode(FILE, 44444444)).toBeUndefined();
  });
});

describe('settings', () => {
  it('reads the secret as people write it', () => {
    expect(secretText('jbsw y3dp-ehpk\t3pxp\r\nrest')).toBe(SECRET);
    expect(secretText('018\n')).toBe('OLB');
    expect(secretOf(FILE)?.toString('hex')).toBe('48656c6c6f21deadbeef');
    expect(secretOf('JBSWY3DPEHPK3PXP=\n')).toBeUndefined();
    expect(secretOf('\nJBSWY3DPEHPK3PXP\n')).toBeUndefined();
    expect(secretOf('not base32!\n')).toBeUndefined();
  });

  it.each([
    [FILE, { kind: 'totp' }],
    ['S\n" TOTP_AUTHX\n', { kind: 'totp' }],
    ['S\n" HOTP_COUNTER 7\n" TOTP_AUTH\n', { kind: 'hotp', counter: 7 }],
    ['S\n" HOTP_COUNTER 0\n" TOTP_AUTH\n', { kind: 'totp' }],
    ['S\n" HOTP_COUNTER -3\n', { kind: 'none' }],
    ['S\n11111111\n', { kind: 'none' }],
  ])('the mode of %j is %j', (text, mode) => {
    expect(modeOf(text)).toEqual(mode);
  });

  it('knows what is out of range', () => {
    expect(isTimeBased(FILE)).toBe(true);
    expect(stepSizeOf(FILE)).toBe(30);
    expect(windowSizeOf(FILE)).toBe(17);
    for (const value of ['0', '101', 'x', '', '-1', '3x']) {
      expect(windowSizeOf(`S\n" WINDOW_SIZE ${value}\n`)).toEqual({ bad: 'Invalid WINDOW_SIZE option' });
    }
    expect(stepSizeOf('S\n" STEP_SIZE 61\n')).toEqual({ bad: 'Invalid STEP_SIZE option' });
    for (const value of ['', '3', '0 30', '101 30', '3 0', '3 3601', '3 30 ', '3 30 x', '3 -1']) {
      expect(rateLimitOf(`S\n" RATE_LIMIT ${value}\n`)).toEqual({ bad: 'Invalid RATE_LIMIT option' });
    }
  });
});

describe('the rate limit of the file', () => {
  it('counts attempts, and forgets those that are over', () => {
    let text = 'S\n" RATE_LIMIT 3 30\n" X\n';
    const limited = (now: number): boolean => {
      const limit = rateLimitOf(text);
      return limit !== undefined && 'times' in limit && isRateLimited(limit, now);
    };
    const attempt = (now: number): void => {
      const limit = rateLimitOf(text);
      expect(limit).toHaveProperty('times');
      text = withAttempt(text, limit as Extract<typeof limit, { times: unknown }>, now);
    };
    attempt(1000);
    attempt(1010);
    expect(limited(1011)).toBe(false);
    attempt(1020);
    expect(text).toBe('S\n" RATE_LIMIT 3 30 1000 1010 1020\n" X\n');
    expect(limited(1030)).toBe(true);
    expect(limited(1031)).toBe(false);
    attempt(1031);
    expect(text).toBe('S\n" RATE_LIMIT 3 30 1010 1020 1031\n" X\n');
    // A clock that went back: attempts in the future do not count.
    expect(limited(500)).toBe(false);
    attempt(500);
    expect(text).toBe('S\n" RATE_LIMIT 3 30 500\n" X\n');
  });
});
