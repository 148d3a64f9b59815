import { describe, expect, it } from 'vitest';
import { decoyEnrolment } from '../../../../src/daemon/enrolments/decoy.ts';
import type { EnrolmentSource, AccountLookup } from '../../../../src/daemon/enrolments/enrolment.ts';
import { sourcesInOrder } from '../../../../src/daemon/enrolments/sources-in-order.ts';

const ALICE = { name: 'alice', uid: 1000 };
const enrolled: AccountLookup = { kind: 'enrolled', enrolment: decoyEnrolment() };
const others: readonly AccountLookup[] = [
  enrolled,
  { kind: 'blocked', why: 'b' },
  { kind: 'failed', why: 'f' },
];

/** A source that always says the same and counts how often it was asked. */
function source(lookup: AccountLookup): EnrolmentSource & { asked: number } {
  const counted = {
    asked: 0,
    lookUp: () => {
      counted.asked++;
      return Promise.resolve(lookup);
    },
  };
  return counted;
}

describe('sourcesInOrder', () => {
  it('says absent when all say so, and when there are none', async () => {
    const sources = [source({ kind: 'absent' }), source({ kind: 'absent' })];
    expect(await sourcesInOrder(sources).lookUp(ALICE)).toEqual({ kind: 'absent' });
    expect(sources.map(({ asked }) => asked)).toEqual([1, 1]);
    expect(await sourcesInOrder([]).lookUp(ALICE)).toEqual({ kind: 'absent' });
  });

  it.each(others)('asks nobody after a source that says $kind', async (lookup) => {
    const after = source({ kind: 'absent' });
    const never = source(enrolled);
    const sources = [source({ kind: 'absent' }), source(lookup), after, never];
    expect(await sourcesInOrder(sources).lookUp(ALICE)).toBe(lookup);
    expect([after.asked, never.asked]).toEqual([0, 0]);
  });
});
