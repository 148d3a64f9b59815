import type * as crypto from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { decoyEnrolment } from '../../../../src/daemon/enrolments/decoy.ts';
import { storeEnrolment } from '../../../../src/daemon/enrolments/store/store-enrolment.ts';
import { hotpValue } from '../../../../src/factors/hotp-value.ts';
import { InMemoryLedger } from '../../fixtures/in-memory-ledger.ts';
import { storeContext } from '../../fixtures/store-context.ts';
import { verified } from '../../fixtures/verified.ts';

/** Captures a decoy's secret, which normally nobody knows. */
vi.mock('node:crypto', async (importOriginal) => ({
  ...(await importOriginal<typeof crypto>()),
  randomBytes: (length: number) => Buffer.alloc(length, 7),
}));

const FACTOR = {
  kind: 'totp',
  id: 'abcd',
  name: 'phone',
  added: 0,
  algorithm: 'sha1',
  digits: 6,
  period: 30,
  window: 3,
} as const;

describe('decoyEnrolment', () => {
  it('asks for what most people have', () => {
    expect(decoyEnrolment().shapes).toEqual([{ class: 'digits', length: 6 }]);
  });

  it('accepts nothing', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[0-9]{6}$/), { maxLength: 40 }),
        fc.integer({ min: 0, max: 4_000_000_000_000 }),
        async (codes, now) => {
          const decoy = decoyEnrolment();
          const readings = codes.map((code) => ({ shape: decoy.shapes[0]!, text: Buffer.from(code) }));
          expect(await decoy.verify(readings, now)).toEqual({ kind: 'rejected', reason: 'wrong-code' });
        },
      ),
    );
  });

  it('accepts not even the code of its own secret', async () => {
    const decoy = decoyEnrolment();
    const secret = Buffer.alloc(20, 7);
    const text = hotpValue({ secret, algorithm: 'sha1', digits: 6 }, 1_000);
    const reading = { shape: decoy.shapes[0]!, text };
    // A real enrolment with this secret would accept it: the code is right.
    const real = storeEnrolment(
      '',
      [{ ...FACTOR, secret }],
      () => [{ ...FACTOR, secret }],
      storeContext(new InMemoryLedger()),
    );
    expect(await verified(real, new InMemoryLedger(), [reading], 30_000_000)).toMatchObject({
      kind: 'accepted',
    });
    expect(await decoy.verify([reading], 30_000_000)).toEqual({ kind: 'rejected', reason: 'wrong-code' });
  });
});
