import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Decision } from '../../../../../src/daemon/enrolments/store/decide.ts';
import type { StoredFactor, TotpFactor } from '../../../../../src/daemon/enrolments/store/record.ts';
import type { TypedCode } from '../../../../../src/factors/code-shape.ts';
import { hotpValue, type CodeLength } from '../../../../../src/factors/hotp-value.ts';
import { markKey } from '../../../../../src/daemon/ledger/mark-key.ts';

const STEP = 50_000;
const NOW = STEP * 30_000 + 15_000;

function factor(name: string, change: Partial<TotpFactor> = {}): TotpFactor {
  return {
    kind: 'totp',
    id: 'abcdef',
    name,
    added: 1,
    secret: Buffer.from(name.padEnd(20, '.')),
    algorithm: 'sha1',
    digits: 6,
    period: 30,
    window: 3,
    ...change,
  };
}

const codeOf = (of: TotpFactor, step = STEP): TypedCode => ({
  shape: { class: 'digits', length: of.digits },
  text: hotpValue(of, step),
});
const wrong = (length: CodeLength = 6): TypedCode => ({
  shape: { class: 'digits', length },
  text: Buffer.alloc(length, 'x'),
});
const unused = (): undefined => undefined;
const KEY = Buffer.alloc(32, 3);

/** Without tokens that have run ahead. */
function decided(
  user: string,
  factors: readonly StoredFactor[],
  markOf: (key: string) => number | undefined,
  readings: readonly TypedCode[],
  farAheadOf: (key: string) => number | undefined = unused,
): Decision {
  return decide({ user, recoveryKey: KEY, markOf, farAheadOf, now: NOW }, factors, readings);
}

describe('decide', () => {
  const phone = factor('phone');
  const tablet = factor('tablet');
  const long = factor('long', { digits: 8, period: 60, window: 5 });

  it('finds the factor, the reading and what to use up', () => {
    expect(decided('alice', [phone, tablet], unused, [wrong(), codeOf(tablet)])).toEqual({
      matches: [
        {
          factor: 'totp:tablet',
          reading: 1,
          key: markKey('alice', 'totp/30', tablet.secret),
          mark: STEP,
          kind: { kind: 'time-step', validFor: 90 },
        },
      ],
      spent: undefined,
      farAhead: [],
      lookUps: [],
    });
  });

  it('takes one answer as each shape that it has', () => {
    const readings = [wrong(), codeOf(long, STEP / 2)];
    expect(decided('alice', [phone, long], unused, readings).matches).toMatchObject([
      { factor: 'totp:long', reading: 1, mark: STEP / 2, kind: { validFor: 300 } },
    ]);
  });

  it('finds every way in which an answer is right', () => {
    const { matches } = decided('alice', [phone, tablet], unused, [codeOf(tablet), codeOf(phone)]);
    expect(matches.map(({ factor: name, reading }) => [name, reading])).toEqual([
      ['totp:phone', 1],
      ['totp:tablet', 0],
    ]);
  });

  it('tells a used code from a wrong one, by the mark of its own factor', () => {
    const marks = new Map([[markKey('alice', 'totp/30', phone.secret), STEP]]);
    const markOf = (key: string): number | undefined => marks.get(key);
    expect(decided('alice', [phone, tablet], markOf, [codeOf(phone)])).toEqual({
      matches: [],
      spent: 'totp:phone',
      farAhead: [],
      lookUps: [],
    });
    // A used code also uses up older ones, but not newer ones.
    expect(decided('alice', [phone], markOf, [codeOf(phone, STEP - 1)]).spent).toBe('totp:phone');
    expect(decided('alice', [phone], markOf, [codeOf(phone, STEP + 1)]).matches).toHaveLength(1);
    expect(decided('alice', [tablet], markOf, [codeOf(tablet)]).matches).toHaveLength(1);
    expect(decided('alice', [phone, tablet], markOf, [wrong()])).toEqual({
      matches: [],
      spent: undefined,
      farAhead: [],
      lookUps: [],
    });
  });

  it('gives another user another mark for the same secret', () => {
    const keys = ['alice', 'bob'].map(
      (user) => decided(user, [phone], unused, [codeOf(phone)]).matches[0]!.key,
    );
    expect(new Set(keys).size).toBe(2);
  });

  it('refuses right digits that were typed as another shape', () => {
    const text = codeOf(phone).text;
    for (const shape of [
      { class: 'recovery', length: 6 },
      { class: 'modhex', length: 6 },
      { class: 'digits', length: 7 },
    ] as const) {
      expect(decided('alice', [phone], unused, [{ shape, text }]).matches).toEqual([]);
    }
  });

  it('finds nothing where there is nothing', () => {
    const nothing = { matches: [], spent: undefined, farAhead: [], lookUps: [] };
    expect(decided('alice', [], unused, [codeOf(phone)])).toEqual(nothing);
    expect(decided('alice', [phone], unused, [])).toEqual(nothing);
  });

  it('computes only: the same again gives the same, and nothing that it was given changes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(phone, tablet, long), { maxLength: 4 }),
        fc.array(fc.constantFrom(codeOf(phone), codeOf(tablet, STEP - 1), wrong(), wrong(8)), {
          maxLength: 4,
        }),
        fc.option(fc.integer({ min: STEP - 2, max: STEP + 2 }), { nil: undefined }),
        (factors, readings, mark) => {
          const before = JSON.stringify([factors, readings]);
          const once = decided('alice', factors, () => mark, readings);
          expect(decided('alice', factors, () => mark, readings)).toEqual(once);
          expect(JSON.stringify([factors, readings])).toBe(before);
          expect(once.matches.every((match) => match.mark > (mark ?? -1))).toBe(true);
        },
      ),
    );
  });
});
