import type { Ledger, WholeLedger } from '../../ledger/ledger.ts';
import type { Account, EnrolmentSource, AccountLookup } from '../enrolment.ts';
import { noOnlineYubikeys, type OnlineYubikeys } from '../yubico/online-yubikeys.ts';
import { yubikeyKey } from './factor-keys.ts';
import { RecordError } from './record-error.ts';
import type { EnrolmentRecord, StoredFactor } from './record.ts';
import { Resynchronisation } from './resynchronisation.ts';
import type { Store } from './store.ts';
import { activeOf, storeEnrolment, type StoreContext } from './store-enrolment.ts';

/* The source `store`: finds the record of a user. */

/** YubiKeys of a user that are listed outside the store. */
export interface NamedYubikeys {
  readonly publicIds: readonly string[];
  /** Looks them up again. */
  readonly now: () => Promise<readonly string[]>;
  /** Checks them, and those in the store. */
  readonly yubikeys: OnlineYubikeys;
}

/** The store, with keys that are listed outside it. */
export interface StoreSource extends EnrolmentSource {
  /**
   * As {@link EnrolmentSource.lookUp}, but with further YubiKeys. The user may be missing in the store.
   *
   * @param account - who
   * @param named - the YubiKeys
   * @param alone - whether nothing of the store counts
   * @returns what is known
   */
  lookUpWith(account: Account, named: NamedYubikeys, alone: boolean): AccountLookup;
}

/**
 * The store as a source of enrolments.
 *
 * @param store - the store
 * @param ledger - where codes are used up
 * @param monotonic - a clock in milliseconds that never jumps
 * @param yubikeys - looks up YubiKeys whose secrets are not stored here
 * @returns the source
 */
export function storeSource(
  store: Store,
  ledger: WholeLedger,
  monotonic: () => number,
  yubikeys: OnlineYubikeys = noOnlineYubikeys('no validation server is configured'),
): StoreSource {
  const context: SourceContext = {
    ledger,
    resynchronisation: new Resynchronisation(monotonic),
    recoveryKey: () => store.recoveryKey,
    yubikeys,
  };
  return {
    lookUp: (account) => lookUp(store, context, account),
    lookUpWith: (account, named, alone) => lookUpWith(store, context, account, named, alone),
  };
}

/** As {@link StoreContext}, for all owners. */
type SourceContext = Omit<StoreContext, 'ledger'> & { readonly ledger: WholeLedger };

function lookUpWith(
  store: Store,
  context: SourceContext,
  account: Account,
  named: NamedYubikeys,
  alone: boolean,
): AccountLookup {
  const own = alone ? undefined : ownFactors(store, account);
  if (own !== undefined && 'kind' in own) {
    return own;
  }
  const together = (factors: EnrolmentRecord['factors'], publicIds: readonly string[]): StoredFactor[] => [
    ...factors,
    ...publicIds.map(factorNamed),
  ];
  const factors = together(own?.factors ?? [], named.publicIds);
  if (factors.length === 0) {
    return { kind: 'absent' };
  }
  const factorsNow = async (): Promise<StoredFactor[]> => {
    const publicIds = await named.now();
    // The store is read last, because it may change while the file is read.
    return together(alone ? [] : factorsOf(store, account), publicIds);
  };
  const elsewhere = named.publicIds.filter(
    (publicId) =>
      own?.factors.some((factor) => 'publicId' in factor && factor.publicId === publicId) !== true,
  );
  const ledger = ledgerWith(context.ledger, account, elsewhere);
  return {
    kind: 'enrolled',
    enrolment: storeEnrolment(account.name, factors, factorsNow, {
      ...context,
      ledger,
      yubikeys: named.yubikeys,
    }),
  };
}

/** The daemon is not told when a key disappears from such a list, so its mark stays while there is room. */
function ledgerWith(ledger: WholeLedger, { name, uid }: Account, elsewhere: readonly string[]): Ledger {
  const passing = ledger.of({ uid, keep: 'while-room' });
  const kept = ledger.of({ uid, keep: 'always' });
  const keys = new Set(elsewhere.map((publicId) => yubikeyKey(name, { publicId })));
  return {
    mark: (key) => kept.mark(key),
    claim: (key, value, kind) => (keys.has(key) ? passing : kept).claim(key, value, kind),
    advance: (key, value, kind) => (keys.has(key) ? passing : kept).advance(key, value, kind),
  };
}

/** A key from such a list is named by its public id. */
function factorNamed(publicId: string): StoredFactor {
  return { kind: 'yubikey-online', id: publicId, name: publicId, added: 0, publicId };
}

function lookUp(store: Store, context: SourceContext, account: Account): AccountLookup {
  const own = ownFactors(store, account);
  if (own === undefined || 'kind' in own) {
    return own ?? { kind: 'absent' };
  }
  const { record, factors } = own;
  const factorsNow = (): EnrolmentRecord['factors'] =>
    store.isCurrent(record) ? factors : factorsOf(store, account);
  return {
    kind: 'enrolled',
    enrolment: storeEnrolment(account.name, factors, factorsNow, {
      ...context,
      ledger: context.ledger.of({ uid: account.uid, keep: 'always' }),
    }),
  };
}

interface OwnFactors {
  readonly record: EnrolmentRecord;
  readonly factors: EnrolmentRecord['factors'];
}

/** Undefined: there is no record. */
function ownFactors(
  store: Store,
  account: Account,
): OwnFactors | Extract<AccountLookup, { kind: 'blocked' | 'failed' }> | undefined {
  let read: EnrolmentRecord | undefined;
  try {
    read = store.read(account);
    const other = read === undefined ? store.otherName(account) : undefined;
    if (other !== undefined) {
      return { kind: 'blocked', renamed: true, why: whyRenamed(account, other) };
    }
  } catch (error) {
    const why = `record of ${account.name}: ${error instanceof Error ? error.message : 'not readable'}`;
    return error instanceof RecordError ? { kind: 'blocked', why } : { kind: 'failed', why };
  }
  if (read === undefined) {
    return undefined;
  }
  const factors = activeOf(read.factors);
  return factors.length === 0
    ? { kind: 'blocked', why: `record of ${account.name}: all its factors are paused` }
    : { record: read, factors };
}

function whyRenamed({ name, uid }: Account, other: string): string {
  const [was, is] = [{ name: word(other) }, { name: word(name) }];
  return `${name} has no record, but ${other} has one with the same uid ${uid}. If the account was renamed: sudo pve-google-authenticator rename-user ${was.name} ${is.name}`;
}

/** Quotes a name for the shell: in some directories, names have blanks and backslashes. */
function word(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`;
}

/** If the record is broken by now, there is no factor to check. */
function factorsOf(store: Store, account: Account): EnrolmentRecord['factors'] {
  try {
    return activeOf(store.read(account)?.factors ?? []);
  } catch {
    return [];
  }
}
