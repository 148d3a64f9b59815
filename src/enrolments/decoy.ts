import { randomBytes } from 'node:crypto';
import { DEFAULT_PERIOD, DEFAULT_WINDOW } from '../factors/totp.ts';
import { shapesOf, storeEnrolment } from './store/store-enrolment.ts';
import type { Enrolment } from './enrolment.ts';
import type { StoredFactor } from './store/record.ts';
import type { Ledger } from '../ledger/ledger.ts';

const SECRET_BYTES = 20;

/**
 * An enrolment that nobody has: it asks the same, does the same work and takes the same time as a real one, but its secret is
 * known to nobody. Users who do not exist, or have no factor, meet it.
 *
 * @param ledger - only looked at: a decoy never uses anything up
 * @returns the enrolment; it accepts nothing
 */
export function decoyEnrolment(ledger: Ledger): Enrolment {
  const factor: StoredFactor = {
    kind: 'totp',
    id: 'decoy',
    name: 'decoy',
    added: 0,
    secret: randomBytes(SECRET_BYTES),
    algorithm: 'sha1',
    digits: 6,
    period: DEFAULT_PERIOD,
    window: DEFAULT_WINDOW,
  };
  const lookOnly: Ledger = { mark: (key) => ledger.mark(key), advance: () => Promise.resolve('spent') };
  const inner = storeEnrolment('', shapesOf([factor]), () => [factor], lookOnly);
  return {
    shapes: inner.shapes,
    async verify(readings, now) {
      await inner.verify(readings, now);
      return { kind: 'rejected', reason: 'wrong-code' };
    },
  };
}
