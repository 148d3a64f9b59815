import { beforeEach, describe, expect, it } from 'vitest';
import type { Verification } from '../../../../../src/daemon/enrolments/enrolment.ts';
import type { StoredFactor, TotpFactor } from '../../../../../src/daemon/enrolments/store/record.ts';
import {
  activeOf,
  limitsOf,
  shapesOf,
  storeEnrolment,
} from '../../../../../src/daemon/enrolments/store/store-enrolment.ts';
import type { TypedCode } from '../../../../../src/factors/code-shape.ts';
import { hotpValue } from '../../../../../src/factors/hotp-value.ts';
import { InMemoryLedger } from '../../../fixtures/in-memory-ledger.ts';
import { storeContext } from '../../../fixtures/store-context.ts';
import { verified } from '../../../fixtures/verified.ts';

const STEP = 50_000;
const NOW = STEP * 30_000;

function factor(name: string, change: Partial<TotpFactor> = {}): TotpFactor {
  return {
    kind: 'totp',
    id: 'abcdef',
    name,
    added: 1,
    secret: Buffer.from('12345678901234567890'),
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

let ledger: InMemoryLedger;
beforeEach(() => {
  ledger = new InMemoryLedger();
});

function verify(factors: readonly StoredFactor[], ...readings: TypedCode[]): Promise<Verification> {
  return verified(
    storeEnrolment('alice', factors, () => factors, storeContext(ledger)),
    ledger,
    readings,
    NOW,
  );
}

describe('shapesOf', () => {
  it('gives each length once, the shortest first', () => {
    const factors = [factor('a', { digits: 8 }), factor('b'), factor('c', { digits: 8 }), factor('d')];
    expect(shapesOf(factors)).toEqual([
      { class: 'digits', length: 6 },
      { class: 'digits', length: 8 },
    ]);
  });
});

describe('activeOf and limitsOf', () => {
  it('leave paused factors out, and collect the limits of the others', () => {
    const limit = { attempts: 3, seconds: 30 };
    const factors = [factor('a', { limit }), factor('b', { paused: true })];
    expect(activeOf(factors)).toEqual([factors[0]]);
    expect(limitsOf(factors)).toEqual([limit]);
  });
});

describe('storeEnrolment', () => {
  const phone = factor('phone');
  const accepted = { kind: 'accepted', factor: 'totp:phone', reading: 0 };
  const used = { kind: 'rejected', reason: 'code-already-used', factor: 'totp:phone' };

  it('accepts a code once, and then only newer ones', async () => {
    expect(await verify([phone], codeOf(phone))).toEqual(accepted);
    expect(await verify([phone], codeOf(phone))).toEqual(used);
    expect(await verify([phone], codeOf(phone, STEP - 1))).toEqual(used);
    expect(await verify([phone], codeOf(phone, STEP + 1))).toEqual(accepted);
  });

  it('uses nothing up for a wrong code', async () => {
    const wrong: TypedCode = { shape: { class: 'digits', length: 6 }, text: Buffer.from('xxxxxx') };
    expect(await verify([phone], wrong)).toEqual({ kind: 'rejected', reason: 'wrong-code' });
    expect(ledger.advances).toEqual([]);
  });

  it('has one winner when two use one code at the same moment', async () => {
    const results = await Promise.all(Array.from({ length: 10 }, () => verify([phone], codeOf(phone))));
    expect(results.filter(({ kind }) => kind === 'accepted')).toHaveLength(1);
  });

  it('is refused when another login was faster: the ledger has the last word', async () => {
    ledger.answer = 'spent';
    expect(await verify([phone], codeOf(phone))).toEqual(used);
  });

  it('accepts nothing that cannot be recorded', async () => {
    ledger.answer = 'unavailable';
    expect(await verify([phone], codeOf(phone))).toMatchObject({
      kind: 'unavailable',
      factor: 'totp:phone',
    });
  });

  it('uses up one factor for one answer', async () => {
    const tablet = factor('tablet', { secret: Buffer.alloc(20, 9) });
    const both = [codeOf(phone), codeOf(tablet)];
    expect(await verify([phone, tablet], ...both)).toEqual(accepted);
    expect(ledger.advances).toHaveLength(1);
  });

  it('uses the next match if the first is used up', async () => {
    const tablet = factor('tablet', { secret: Buffer.alloc(20, 9) });
    ledger.claim = (key, value) => {
      ledger.advances.push({ key, value });
      return ledger.advances.length === 1 ? 'spent' : { key, value };
    };
    expect(await verify([phone, tablet], codeOf(phone), codeOf(tablet))).toEqual({
      kind: 'accepted',
      factor: 'totp:tablet',
      reading: 1,
    });
  });

  it('knows a secret again that was removed and added under another name', async () => {
    await verify([phone], codeOf(phone));
    expect(await verify([factor('new', { id: 'zzzz' })], codeOf(phone))).toMatchObject({
      reason: 'code-already-used',
    });
  });
});
