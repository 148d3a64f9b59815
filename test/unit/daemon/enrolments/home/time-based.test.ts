import { describe, expect, it } from 'vitest';
import { optionValue } from '../../../../../src/daemon/enrolments/home/state-file.ts';
import { checkTimeBased, type CodeOutcome } from '../../../../../src/daemon/enrolments/home/time-based.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';

const SECRET = Buffer.from('12345678901234567890');
const STEP = 50_000;
const PLAIN = 'S\n" TOTP_AUTH\n';
const ONCE = 'S\n" DISALLOW_REUSE\n" TOTP_AUTH\n';

function check(
  text: string,
  codeStep: number,
  nowStep = STEP,
  lastStep = -1,
  adjustSkew = true,
): CodeOutcome {
  const code = hotpValue({ secret: SECRET, algorithm: 'sha1', digits: 6 }, codeStep);
  return checkTimeBased(text, code, {
    secret: SECRET,
    now: nowStep * 30,
    adjustSkew,
    lastStep,
    unwrittenStep: -1,
  });
}

describe('checkTimeBased', () => {
  it.each([
    [1, [0]],
    [2, [0, 1]],
    [3, [-1, 0, 1]],
    [6, [-2, -1, 0, 1, 2, 3]],
  ])('with a window of %i accepts steps %j', (window, offsets) => {
    const text = `S\n" WINDOW_SIZE ${window}\n" TOTP_AUTH\n`;
    for (let offset = -5; offset <= 5; offset++) {
      expect(check(text, STEP + offset, STEP, -1, false).kind, String(offset)).toBe(
        offsets.includes(offset) ? 'accepted' : 'no-match',
      );
    }
  });

  it('writes nothing when codes may be used again', () => {
    expect(check(PLAIN, STEP)).toEqual({ kind: 'accepted', text: PLAIN, steps: [STEP] });
  });

  it('lists used steps, refuses them, and drops those outside of the window', () => {
    const first = check(ONCE, STEP);
    expect(first.text).toBe(`S\n" DISALLOW_REUSE ${STEP}\n" TOTP_AUTH\n`);
    expect(check(first.text, STEP)).toMatchObject({
      kind: 'refused',
      reason: 'code-already-used',
      text: first.text,
    });
    const older = check(first.text, STEP - 1);
    expect(optionValue(older.text, 'DISALLOW_REUSE')).toBe(`${STEP} ${STEP - 1}`);
    const later = check(older.text, STEP + 3, STEP + 3);
    expect(optionValue(later.text, 'DISALLOW_REUSE')).toBe(String(STEP + 3));
    const lastGone = check(check(first.text, STEP - 1).text, STEP + 2, STEP + 2);
    expect(optionValue(lastGone.text, 'DISALLOW_REUSE')).toBe(`${STEP}  ${STEP + 2}`);
  });

  it('refuses a list of used steps that cannot be read', () => {
    const text = 'S\n" DISALLOW_REUSE 1 x\n" TOTP_AUTH\n';
    expect(check(text, STEP)).toMatchObject({ kind: 'refused', reason: 'bad-file', text });
  });

  it.each([200, -200, 1_499, -1_499])(
    'gets used to a clock that differs by %i steps, with three codes in a row',
    (skew) => {
      let text = ONCE;
      for (const step of [0, 1]) {
        const outcome = check(text, STEP + step + skew, STEP + step);
        expect(outcome).toMatchObject({ kind: 'refused', reason: 'clock-differs' });
        text = outcome.text;
      }
      const third = check(text, STEP + 2 + skew, STEP + 2);
      expect(third).toMatchObject({ kind: 'accepted', steps: [0, 1, 2].map((step) => STEP + step + skew) });
      expect(optionValue(third.text, 'TIME_SKEW')).toBe(String(skew));
      expect(optionValue(third.text, 'RESETTING_TIME_SKEW')).toBe('');
      expect(check(third.text, STEP + 3 + skew, STEP + 3).kind).toBe('accepted');
      for (const step of [0, 1, 2]) {
        const again = check(third.text, STEP + step + skew, STEP + 2);
        expect(again.kind, 'none of the three works again').not.toBe('accepted');
      }
    },
  );

  it('does not learn a different clock if told so, or if it is off by half a day', () => {
    expect(check(ONCE, STEP + 200, STEP, -1, false).kind).toBe('no-match');
    expect(check(ONCE, STEP + 1_500).kind).toBe('no-match');
  });

  it.each([-200, 200])('takes no used codes for a clock that differs (%i steps)', (skew) => {
    let text = ONCE;
    for (const step of [0, 1, 2, 3]) {
      const outcome = check(text, STEP + skew + step, STEP + step, STEP + skew + 3);
      expect(outcome).toMatchObject({ kind: 'refused', reason: 'code-already-used', text });
      text = outcome.text;
    }
  });

  it('is not impressed by codes with gaps, or the same code again', () => {
    const one = check(ONCE, STEP + 200, STEP);
    expect(check(one.text, STEP + 200, STEP)).toMatchObject({ reason: 'clock-differs', text: one.text });
    const two = check(one.text, STEP + 203, STEP + 3);
    const three = check(two.text, STEP + 204, STEP + 4);
    expect(three.kind).toBe('refused');
    expect(check(three.text, STEP + 205, STEP + 5).kind).toBe('accepted');
  });
});
