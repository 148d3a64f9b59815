import { describe, expect, it } from 'vitest';
import {
  attempt,
  type HomeAttempt,
  type HomeTerms,
} from '../../../../../src/daemon/enrolments/home/attempt.ts';
import { isWithinGracePeriod, withLogin } from '../../../../../src/daemon/enrolments/home/grace-period.ts';
import { secretOf } from '../../../../../src/daemon/enrolments/home/settings.ts';
import { optionValue } from '../../../../../src/daemon/enrolments/home/state-file.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';

const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const KEY = secretOf(`${SECRET}\n`)!;
const NOW = 1_500_000;
const STEP = NOW / 30;
const TERMS: HomeTerms = {
  now: NOW,
  adjustSkew: false,
  lastStep: -1,
  unwrittenStep: -1,
  incrementCounter: true,
  counted: false,
};
const TOTP = `${SECRET}\n" DISALLOW_REUSE\n" TOTP_AUTH\n11111111\n22222222\n`;
const HOTP = `${SECRET}\n" HOTP_COUNTER 5\n11111111\n`;

const codeOf = (counter: number): string =>
  hotpValue({ secret: KEY, algorithm: 'sha1', digits: 6 }, counter).toString();

/** As the module gives it: the last six digits, then the last eight. */
function type(text: string, typed: string, change: Partial<HomeTerms> = {}): HomeAttempt {
  const readings = [6, 8]
    .filter((length) => typed.length >= length)
    .map((length) => ({ code: Buffer.from(typed.slice(-length)) }));
  return attempt(text, readings, { ...TERMS, ...change });
}

describe('attempt', () => {
  it('accepts a time-based code, and lists it', () => {
    const { text, result } = type(TOTP, codeOf(STEP));
    expect(result).toEqual({ kind: 'accepted', factor: 'totp', reading: 0, steps: [STEP] });
    expect(optionValue(text, 'DISALLOW_REUSE')).toBe(String(STEP));
    expect(type(text, codeOf(STEP)).result).toMatchObject({ kind: 'rejected', reason: 'code-already-used' });
  });

  it('accepts a scratch code once', () => {
    const { text, result } = type(TOTP, '22222222');
    expect(result).toEqual({ kind: 'accepted', factor: 'scratch', reading: 1, steps: [] });
    expect(text).toBe(TOTP.replace('22222222\n', ''));
    expect(type(text, '22222222')).toEqual({ text, result: { kind: 'rejected', reason: 'wrong-code' } });
  });

  it('takes scratch codes also from a file without any other way', () => {
    expect(type(`${SECRET}\n11111111\n`, '11111111').result).toMatchObject({ kind: 'accepted' });
    expect(type(`${SECRET}\n11111111\n`, codeOf(STEP)).result).toMatchObject({ reason: 'wrong-code' });
  });

  it('counts on: a right code sets the counter behind itself, a wrong one moves it by one', () => {
    expect(optionValue(type(HOTP, codeOf(7)).text, 'HOTP_COUNTER')).toBe('8');
    expect(type(HOTP, codeOf(8)).result).toMatchObject({ reason: 'wrong-code' });
    expect(optionValue(type(HOTP, codeOf(8)).text, 'HOTP_COUNTER')).toBe('6');
    expect(type(HOTP, codeOf(8), { incrementCounter: false }).text).toBe(HOTP);
    expect(optionValue(type(HOTP, '11111111').text, 'HOTP_COUNTER')).toBe('6');
  });

  it('counts attempts in the file, and refuses further ones without counting them', () => {
    let text = `${SECRET}\n" RATE_LIMIT 2 30\n" TOTP_AUTH\n`;
    text = type(text, '000000').text;
    text = type(text, '000000').text;
    expect(optionValue(text, 'RATE_LIMIT')).toBe(`2 30 ${NOW} ${NOW}`);
    expect(type(text, codeOf(STEP))).toEqual({
      text,
      result: { kind: 'rejected', reason: 'too-many-tries' },
    });
  });

  it.each([
    ['a secret that is not base32', '!\n" TOTP_AUTH\n'],
    ['a rate limit that cannot be read', `${SECRET}\n" RATE_LIMIT x\n" TOTP_AUTH\n`],
    ['a window that is out of range', `${SECRET}\n" WINDOW_SIZE 0\n" TOTP_AUTH\n`],
    ['a window of a counter that is out of range', `${SECRET}\n" WINDOW_SIZE 0\n" HOTP_COUNTER 1\n`],
  ])('lets nobody in with %s', (_name, text) => {
    expect(type(text, codeOf(STEP)).result).toMatchObject({ kind: 'rejected', reason: 'bad-file' });
  });
});

describe('the grace period', () => {
  const FILE = `${SECRET}\n" TOTP_AUTH\n`;

  it('spares who logged in from the same host shortly before', () => {
    const text = withLogin(FILE, '192.0.2.1', NOW);
    expect(text).toBe(`${SECRET}\n" LAST0 192.0.2.1 ${NOW}\n" TOTP_AUTH\n`);
    expect(isWithinGracePeriod(text, '192.0.2.1', 60, NOW + 59)).toBe(true);
    expect(isWithinGracePeriod(text, '192.0.2.1', 60, NOW + 60)).toBe(false);
    expect(isWithinGracePeriod(text, '192.0.2.1', 60, NOW - 1), 'a clock that went back').toBe(false);
    expect(isWithinGracePeriod(text, '192.0.2.10', 60, NOW)).toBe(false);
    expect(isWithinGracePeriod(text, undefined, 60, NOW)).toBe(false);
  });

  it('has ten slots, and gives the oldest to a new host', () => {
    let text = FILE;
    for (let host = 0; host < 11; host++) {
      text = withLogin(text, `host_${host}`, NOW + host);
    }
    expect(isWithinGracePeriod(text, 'host_0', 60, NOW + 11)).toBe(false);
    expect(isWithinGracePeriod(text, 'host_1', 60, NOW + 11)).toBe(true);
    expect(isWithinGracePeriod(text, 'host_10', 60, NOW + 11)).toBe(true);
    expect(text.match(/LAST/g)).toHaveLength(10);
    expect(withLogin(text, 'host_5', NOW + 99).match(/host_5 /g)).toHaveLength(1);
  });

  it.each(['a\n11111111', 'a b', '', 'a"b', 'x'.repeat(256), 'ü'])('does not write the host %j', (host) => {
    expect(withLogin(FILE, host, NOW)).toBe(FILE);
  });
});
