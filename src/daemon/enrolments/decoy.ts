import { randomBytes } from 'node:crypto';
import { RECOVERY_KEY_BYTES } from '../../factors/recovery-code.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW } from '../../factors/totp.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { withAnswer } from './at-hand.ts';
import type { Enrolment } from './enrolment.ts';
import type { StoredFactor } from './store/record.ts';
import { noOnlineYubikeys } from './yubico/online-yubikeys.ts';
import { Resynchronisation } from './store/resynchronisation.ts';
import { storeEnrolment } from './store/store-enrolment.ts';

const SECRET_BYTES = 20;

/** A decoy never uses anything up. */
const NOTHING_LEFT: Ledger = {
  mark: () => undefined,
  claim: () => 'spent',
  advance: () => Promise.resolve('spent'),
};

/**
 * An enrolment that belongs to nobody. It asks and works like a real one, but nobody knows its secret. Users who do not exist, or
 * have no factor, get it.
 *
 * @returns the enrolment; it accepts nothing
 */
export function decoyEnrolment(): Enrolment {
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
  const inner = storeEnrolment('', [factor], () => [factor], {
    ledger: NOTHING_LEFT,
    resynchronisation: new Resynchronisation(() => 0),
    recoveryKey: () => Buffer.alloc(RECOVERY_KEY_BYTES),
    yubikeys: noOnlineYubikeys('nobody has a decoy'),
  });
  return {
    shapes: inner.shapes,
    verify: (readings, now, more) =>
      withAnswer(inner.verify(readings, now, more), () => ({ kind: 'rejected', reason: 'wrong-code' })),
  };
}
