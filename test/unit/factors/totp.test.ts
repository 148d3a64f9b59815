import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALGORITHMS, hotpValue } from '../../../src/factors/hotp-value.ts';
import { matchTotp, timeStep, type Totp } from '../../../src/factors/totp.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/rfc6238-appendix-b.json', import.meta.url), 'utf8'),
) as {
  secrets_hex: Record<(typeof ALGORITHMS)[number], string>;
  rows: ({ time: number } & Record<(typeof ALGORITHMS)[number], string>)[];
};

const SECRET = Buffer.from('12345678901234567890');
const base: Totp = { secret: SECRET, algorithm: 'sha1', digits: 6, period: 30, window: 3 };

/** The middle of a time step, in milliseconds. */
const during = (step: number, period = 30): number => (step + 0.5) * period * 1000;
const codeOf = (totp: Totp, step: number): Buffer => hotpValue(totp, step);

describe('matchTotp', () => {
  it.each(
    vectors.rows.flatMap((row) =>
      ALGORITHMS.map((algorithm) => [row.time, algorithm, row[algorithm]] as const),
    ),
  )('takes the code of RFC 6238, appendix B: second %i, %s', (time, algorithm, code) => {
    const secret = Buffer.from(vectors.secrets_hex[algorithm], 'hex');
    const totp: Totp = { secret, algorithm, digits: 8, period: 30, window: 1 };
    expect(matchTotp(totp, Buffer.from(code), time * 1000)).toBe(Math.floor(time / 30));
  });

  // As pam_google_authenticator counts: from -((W - 1) / 2) on, W steps.
  it.each([
    [1, [0]],
    [2, [0, 1]],
    [3, [-1, 0, 1]],
    [6, [-2, -1, 0, 1, 2, 3]],
    [17, Array.from({ length: 17 }, (_, index) => index - 8)],
  ])('accepts with window %i the steps %j around the current one, and no others', (window, offsets) => {
    const totp: Totp = { ...base, window };
    const current = 50_000;
    for (let offset = -20; offset <= 20; offset++) {
      const matched = matchTotp(totp, codeOf(totp, current + offset), during(current));
      expect(matched).toBe(offsets.includes(offset) ? current + offset : undefined);
    }
  });

  it('turns to the next step exactly at the full period', () => {
    const totp: Totp = { ...base, window: 1 };
    expect(matchTotp(totp, codeOf(totp, 7), 7 * 30_000)).toBe(7);
    expect(matchTotp(totp, codeOf(totp, 7), 8 * 30_000 - 1)).toBe(7);
    expect(matchTotp(totp, codeOf(totp, 7), 8 * 30_000)).toBeUndefined();
  });

  it('knows no steps before the first one', () => {
    const totp: Totp = { ...base, window: 6 };
    expect(matchTotp(totp, codeOf(totp, 0), 0)).toBe(0);
    expect(matchTotp(totp, codeOf(totp, 3), 0)).toBe(3);
    expect(matchTotp(totp, codeOf(totp, 4), 0)).toBeUndefined();
    // Of the steps -4 to 1 those before the first one are computed as step 0, and do not count.
    expect(matchTotp({ ...base, window: 1 }, codeOf(base, 0), -60_000)).toBeUndefined();
  });

  it.each([0, 5, 7, 8, 100])('refuses a code of %i characters', (length) => {
    const right = codeOf(base, 1000).toString();
    const text = right.repeat(20).slice(0, length);
    expect(matchTotp(base, Buffer.from(text), during(1000))).toBeUndefined();
  });

  it('refuses what is no number', () => {
    for (const text of ['abcdef', '      ', '\0\0\0\0\0\0']) {
      expect(matchTotp(base, Buffer.from(text), during(1000))).toBeUndefined();
    }
  });

  it('takes the latest step when a code belongs to two', () => {
    // Found by search: two steps less than a hundred apart that have one code.
    const totp: Totp = { ...base, window: 99 };
    const last = new Map<string, number>();
    let pair: readonly [number, number] | undefined;
    for (let step = 0; pair === undefined; step++) {
      const code = codeOf(totp, step).toString();
      const before = last.get(code);
      if (before !== undefined && step - before < 49) {
        pair = [before, step];
      }
      last.set(code, step);
    }
    expect(matchTotp(totp, codeOf(totp, pair[0]), during(pair[0]))).toBe(pair[1]);
  });

  it('accepts a code in its own step for any factor, and nothing outside of the window', () => {
    fc.assert(
      fc.property(
        fc.record({
          secret: fc.uint8Array({ minLength: 10, maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
          algorithm: fc.constantFrom(...ALGORITHMS),
          digits: fc.constantFrom(6, 7, 8),
          period: fc.integer({ min: 1, max: 300 }),
          window: fc.integer({ min: 1, max: 6 }),
        }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.stringMatching(/^[0-9]{8}$/),
        (totp, step, guess) => {
          const now = during(step, totp.period);
          const matched = matchTotp(totp, codeOf(totp, step), now);
          expect(matched).toBeGreaterThanOrEqual(step);
          const guessed = Buffer.from(guess.slice(0, totp.digits));
          const found = matchTotp(totp, guessed, now);
          if (found !== undefined) {
            expect(codeOf(totp, found)).toEqual(guessed);
            expect(Math.abs(found - step)).toBeLessThanOrEqual(3);
          }
        },
      ),
    );
  });
});

describe('timeStep', () => {
  it('counts whole periods since 1970', () => {
    expect(timeStep(30, 59_999)).toBe(1);
    expect(timeStep(30, 60_000)).toBe(2);
    expect(timeStep(1, 1_700_000_000_000)).toBe(1_700_000_000);
    expect(timeStep(300, 1_700_000_000_000)).toBe(5_666_666);
  });
});
