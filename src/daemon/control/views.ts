import type { Locks } from '../attempts/attempts.ts';
import type { Account, AccountLookup, EnrolmentSource } from '../enrolments/enrolment.ts';
import { keysOf, scratchKey } from '../enrolments/store/factor-keys.ts';
import type { ProxmoxViews } from '../enrolments/proxmox/proxmox.ts';
import type { StoredFactor } from '../enrolments/store/record.ts';
import type { Store } from '../enrolments/store/store.ts';
import { LOOK_AHEAD } from '../../factors/hotp.ts';
import { nameService } from '../../host/name-service.ts';
import type { WholeLedger } from '../ledger/ledger.ts';
import { answered, ROOT } from './callers.ts';
import { ControlError } from './control-error.ts';
import { recordOf, usersOf } from './records.ts';
import type { FactorView, UserView } from '../../contracts/control-requests.ts';

/** What showing users' factors needs. */
export interface ViewPorts {
  readonly store: Store;
  readonly ledger: WholeLedger;
  readonly enrolments: EnrolmentSource;
  readonly attempts: Locks;
  /** Factors in Proxmox. Left out if they do not count. */
  readonly proxmox?: ProxmoxViews | undefined;
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What one user has enrolled.
 *
 * @param ports - store, ledger, sources, locks, clock
 * @param account - who
 * @returns the factors, without their secrets; none when the user is not enrolled
 * @throws ControlError when the record cannot be used
 */
export async function showUser(ports: ViewPorts, account: Account): Promise<UserView> {
  const record = recordOf(ports, account);
  const lookup = await ports.enrolments.lookUp(account);
  const proxmox = await ports.proxmox?.show(account.name);
  return {
    user: account.name,
    uid: account.uid,
    factors: (record?.factors ?? []).map((factor) => factorView(ports, account.name, factor)),
    enrolled: enrolledAs(lookup, record !== undefined),
    lockedUntil: lockedUntil(ports, account.name),
    ...(proxmox === undefined ? {} : { proxmox }),
    ...('why' in lookup ? { problem: lookup.why } : {}),
  };
}

/**
 * What a user has enrolled, after a change.
 *
 * @param ports - as {@link showUser}
 * @param account - who
 * @returns the same
 * @throws ControlError when the record cannot be used; the message says that the change was made
 */
export async function shownAfter(ports: ViewPorts, account: Account): Promise<UserView> {
  try {
    return await showUser(ports, account);
  } catch (error) {
    throw error instanceof ControlError
      ? new ControlError(
          error.status,
          'ERR_DONE_UNSEEN',
          `The change was made, but its result cannot be shown. If you did not see a new secret or new recovery codes, remove them later and add others. ${error.what}`,
        )
      : error;
  }
}

/**
 * What all users have enrolled in the store or in Proxmox. Each user is read when the iterator reaches it.
 *
 * @param ports - store, ledger, sources, locks, clock
 * @returns one entry for each record, then for each other user in Proxmox; an unusable one says why
 * @throws ControlError when the store cannot be read
 */
export function usersShown(ports: ViewPorts): AsyncGenerator<UserView> {
  return viewsOf(ports, new Set(usersOf(ports)));
}

async function* viewsOf(ports: ViewPorts, inStore: ReadonlySet<string>): AsyncGenerator<UserView> {
  for (const user of inStore) {
    yield await viewOrProblem(ports, user);
  }
  for (const user of (await ports.proxmox?.names()) ?? []) {
    const view = inStore.has(user) ? undefined : await viewOrProblem(ports, user);
    // Users of Proxmox may have no account on this machine.
    if (view !== undefined && view.problem === undefined) {
      yield view;
    }
  }
}

async function viewOrProblem(ports: ViewPorts, user: string): Promise<UserView> {
  try {
    const entry = await answered(nameService.userNamed(user, ROOT));
    if (entry === undefined) {
      return unusable(user, 'there is no such user on this machine');
    }
    return await showUser(ports, { name: entry.name, uid: entry.uid });
  } catch (error) {
    return unusable(user, error instanceof ControlError ? error.message : 'its record cannot be read');
  }
}

function unusable(user: string, problem: string): UserView {
  return { user, uid: -1, factors: [], enrolled: 'unusable', lockedUntil: null, problem };
}

/**
 * A factor without its secret.
 *
 * @param ports - the ledger
 * @param user - whose, canonical name
 * @param factor - the factor
 * @returns the parts of it that may be shown
 */
export function factorView(
  { ledger }: Pick<ViewPorts, 'ledger'>,
  user: string,
  factor: StoredFactor,
): FactorView {
  const keys = keysOf(user, factor);
  const uses = keys.flatMap((key) => ledger.mark(key) ?? []).map(({ at }) => at);
  const view = {
    id: factor.id,
    kind: factor.kind,
    name: factor.name,
    added: new Date(factor.added * 1000).toISOString(),
    lastUsed: uses.length === 0 ? null : new Date(Math.max(...uses) * 1000).toISOString(),
    paused: factor.paused === true,
  };
  if (factor.kind === 'recovery') {
    return { ...view, codesLeft: keys.length - uses.length };
  }
  if (factor.kind === 'google-authenticator') {
    const { token, scratch } = factor.file;
    const left = scratch.codes.filter((code) => ledger.mark(scratchKey(user, scratch, code)) === undefined);
    return {
      ...view,
      ...(token === undefined ? {} : { codes: token.kind, algorithm: token.algorithm, digits: token.digits }),
      ...(token?.kind === 'totp' ? { period: token.period } : {}),
      codesLeft: left.length,
    };
  }
  if (factor.kind === 'yubikey-online' || factor.kind === 'yubikey-offline') {
    return { ...view, publicId: factor.publicId };
  }
  const { algorithm, digits, limit } = factor;
  const token = { ...view, algorithm, digits, ...(limit === undefined ? {} : { limit }) };
  return factor.kind === 'totp'
    ? { ...token, window: factor.window, period: factor.period }
    : { ...token, window: factor.window ?? LOOK_AHEAD };
}

function enrolledAs(lookup: AccountLookup, inStore: boolean): UserView['enrolled'] {
  switch (lookup.kind) {
    case 'enrolled':
      return inStore ? 'store' : 'elsewhere';
    case 'absent':
      return 'none';
    case 'blocked':
      return 'unusable';
    case 'failed':
      return 'unknown';
  }
}

function lockedUntil({ attempts, now }: ViewPorts, user: string): string | null {
  const lock = attempts.lockOf(user);
  return lock === 0 ? null : new Date(now() + lock).toISOString();
}
