import type { Ledger } from '../../ledger/ledger.ts';
import type { Account, EnrolmentSource, AccountLookup } from '../enrolment.ts';
import { noOnlineYubikeys, type OnlineYubikeys } from '../yubico/online-yubikeys.ts';
import { RecordError } from './record-error.ts';
import { type EnrolmentRecord } from './record.ts';
import { Resynchronisation } from './resynchronisation.ts';
import type { Store } from './store.ts';
import { activeOf, storeEnrolment, type StoreContext } from './store-enrolment.ts';

/**
 * The store as a source of enrolments.
 *
 * @param store - the store
 * @param ledger - where codes are used up
 * @param monotonic - a clock in milliseconds that never jumps
 * @param yubikeys - who knows of the YubiKeys whose secrets are not known here
 * @returns the source
 */
export function storeSource(
  store: Store,
  ledger: Ledger,
  monotonic: () => number,
  yubikeys: OnlineYubikeys = noOnlineYubikeys('no validation server is configured'),
): EnrolmentSource {
  const context: StoreContext = {
    ledger,
    resynchronisation: new Resynchronisation(monotonic),
    recoveryKey: () => store.recoveryKey,
    yubikeys,
  };
  return { lookUp: (account) => Promise.resolve(lookUp(store, context, account)) };
}

function lookUp(store: Store, context: StoreContext, account: Account): AccountLookup {
  let read: EnrolmentRecord | undefined;
  try {
    read = store.read(account);
  } catch (error) {
    const why = `record of ${account.name}: ${error instanceof Error ? error.message : 'not readable'}`;
    return error instanceof RecordError ? { kind: 'blocked', why } : { kind: 'failed', why };
  }
  const record = read;
  if (record === undefined) {
    return { kind: 'absent' };
  }
  const factors = activeOf(record.factors);
  if (factors.length === 0) {
    return { kind: 'blocked', why: `record of ${account.name}: it has no factor that is not paused` };
  }
  const factorsNow = (): EnrolmentRecord['factors'] =>
    store.isCurrent(record) ? factors : factorsOf(store, account);
  return {
    kind: 'enrolled',
    enrolment: storeEnrolment(account.name, factors, factorsNow, context),
  };
}

/** Whatever is wrong with the record by now, there is no factor to check against. */
function factorsOf(store: Store, account: Account): EnrolmentRecord['factors'] {
  try {
    return activeOf(store.read(account)?.factors ?? []);
  } catch {
    return [];
  }
}
