import { describe, expect, it } from 'vitest';
import { addTotp, type NewTotp } from '../../../../../src/daemon/enrolments/store/add-factor.ts';
import { ChangeError } from '../../../../../src/daemon/enrolments/store/change-error.ts';
import { removeFactor } from '../../../../../src/daemon/enrolments/store/edit.ts';
import { parseRecord } from '../../../../../src/daemon/enrolments/store/parse-record.ts';
import { formatRecord, type EnrolmentRecord } from '../../../../../src/daemon/enrolments/store/record.ts';

const ALICE = { name: 'alice', uid: 1000 };
const NOW = 1_700_000_000_999;

function withFactors(count: number, wanted: NewTotp = {}): EnrolmentRecord {
  let record: EnrolmentRecord = { ...ALICE, user: 'alice', factors: [] };
  for (let number = 0; number < count; number++) {
    ({ record } = addTotp(ALICE, record, wanted, NOW));
  }
  return record;
}

describe('addTotp', () => {
  it('makes the first factor as phones expect it', () => {
    const { record, factor } = addTotp(ALICE, undefined, {}, NOW);
    expect(factor).toMatchObject({
      kind: 'totp',
      name: 'phone',
      added: 1_700_000_000,
      algorithm: 'sha1',
      digits: 6,
      period: 30,
      window: 3,
    });
    expect(record).toEqual({ user: 'alice', uid: 1000, factors: [factor] });
    expect(parseRecord(formatRecord(record))).toEqual(record);
  });

  it.each([
    ['sha1', 20],
    ['sha256', 32],
    ['sha512', 64],
  ] as const)('makes a secret as long as the hash of %s, and never the same', (algorithm, length) => {
    const secrets = Array.from({ length: 50 }, () =>
      addTotp(ALICE, undefined, { algorithm }, NOW).factor.secret.toString('hex'),
    );
    expect(new Set(secrets).size).toBe(50);
    expect(secrets.every((secret) => secret.length === 2 * length)).toBe(true);
  });

  it('takes what is wanted', () => {
    const wanted = { name: 'pixel-7', algorithm: 'sha512', digits: 8, period: 60 } as const;
    expect(addTotp(ALICE, undefined, wanted, NOW).factor).toMatchObject(wanted);
  });

  it('keeps the factors that are there, and gives each a name and an id of its own', () => {
    const record = withFactors(16);
    expect(record.factors.map(({ name }) => name)).toEqual([
      'phone',
      ...Array.from({ length: 15 }, (_, index) => `phone-${index + 2}`),
    ]);
    expect(new Set(record.factors.map(({ id }) => id)).size).toBe(16);
    expect(parseRecord(formatRecord(record))).toEqual(record);
  });

  it('refuses the seventeenth factor', () => {
    expect(() => addTotp(ALICE, withFactors(16), {}, NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_TOO_MANY_FACTORS' }),
    );
  });

  it('refuses a name that is taken, and fills one that is free', () => {
    const record = withFactors(3);
    expect(() => addTotp(ALICE, record, { name: 'phone-2' }, NOW)).toThrow(
      expect.objectContaining({ code: 'ERR_NAME_TAKEN' }),
    );
    const { record: left } = removeFactor(record, 'phone-2');
    expect(addTotp(ALICE, left, {}, NOW).factor.name).toBe('phone-2');
  });

  it('changes nothing in the record that it was given', () => {
    const record = withFactors(1);
    const before = formatRecord(record);
    addTotp(ALICE, record, {}, NOW);
    expect(formatRecord(record)).toBe(before);
  });

  it('takes user and uid from the account', () => {
    const old: EnrolmentRecord = { user: 'alice', uid: 1000, factors: [] };
    expect(addTotp({ name: 'alice', uid: 1000 }, old, {}, NOW).record).toMatchObject({
      user: 'alice',
      uid: 1000,
    });
  });
});

describe('removeFactor', () => {
  it('removes by id or by name, and only that one', () => {
    const record = withFactors(3);
    const second = record.factors[1]!;
    for (const which of [second.id, second.name]) {
      const { record: left, factor } = removeFactor(record, which);
      expect(factor).toBe(second);
      expect(left.factors).toEqual([record.factors[0], record.factors[2]]);
    }
    expect(record.factors).toHaveLength(3);
  });

  it('takes an id before a name', () => {
    const record = withFactors(2);
    const [first, second] = record.factors;
    const confusing = { ...record, factors: [{ ...first!, name: second!.id }, second!] };
    expect(removeFactor(confusing, second!.id).factor).toBe(second);
  });

  it('says when there is no such factor', () => {
    expect(() => removeFactor(withFactors(1), 'tablet')).toThrow(ChangeError);
    expect(() => removeFactor(withFactors(1), '')).toThrow(
      expect.objectContaining({ code: 'ERR_NO_SUCH_FACTOR' }),
    );
  });
});
