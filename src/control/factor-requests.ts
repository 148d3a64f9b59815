import { hostname } from 'node:os';
import type { Attempts, Locks } from '../attempts/attempts.ts';
import type { Account } from '../enrolments/enrolment.ts';
import {
  addHotp,
  addRecovery,
  addTotp,
  addYubikey,
  findFactor,
  removeFactor,
} from '../enrolments/store/change.ts';
import { assertUsable, renameFactor, setPaused } from '../enrolments/store/edit.ts';
import { hotpKey, totpKey, yubikeyKey } from '../enrolments/store/factor-keys.ts';
import type { EnrolmentRecord, HotpFactor, StoredFactor, TotpFactor } from '../enrolments/store/record.ts';
import type { OnlineYubikeys } from '../enrolments/yubico/online-yubikeys.ts';
import { encodeBase32 } from '../factors/base32.ts';
import { otpauthUri } from '../factors/otpauth-uri.ts';
import { timeStep } from '../factors/totp.ts';
import { loggable } from '../log/escape.ts';
import { accountFor, isRoot, type Caller } from './callers.ts';
import { changesOf, proofOf, type CheckedChange, type CheckedFactor } from './change-schema.ts';
import { ControlError } from './control-error.ts';
import {
  assertTouched,
  keptOf,
  lookUpTouches,
  offlineMark,
  usedBefore,
  type LookedUpMarks,
} from './new-yubikey.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { prove, type ProofPorts } from './proof.ts';
import type { AddedFactor, Changed, ShownFactor, UserView } from './requests.ts';
import { recordOf, refusing, saved, unavailable } from './records.ts';
import { factorView, showUser, type ViewPorts } from './views.ts';

/** What requests about factors need. */
export interface FactorPorts extends ViewPorts, ProofPorts {
  readonly attempts: Attempts & Locks;
  readonly yubikeys: OnlineYubikeys;
}

/** One user's factors are changed by one request at a time. */
export const changing = new OneAtATime();

/**
 * Changes a user's factors: all that was asked for, or nothing.
 *
 * @param ports - store, ledger, sources, attempts, log, clocks
 * @param caller - who asks
 * @param user - whose factors
 * @param body - a ChangesRequest, not yet checked
 * @returns what was added, with its secrets, and what the user has then
 * @throws ControlError when the request, the record or the disk does not allow it, or the caller proves nothing
 */
export async function changeFactors(
  ports: FactorPorts,
  caller: Caller,
  user: string,
  body: unknown,
): Promise<Changed> {
  const account = await accountFor(caller, user);
  const { changes, proof } = changesOf(body);
  return changing.run(account.name, async () => {
    if (!isRoot(caller)) {
      assertTouched(changes);
    }
    // What cannot be done shall not cost a code.
    refusing(() => applied(ports, account, changes));
    const proven = isRoot(caller) ? 'root' : await prove(ports, account, proof);
    const marks = await lookUpTouches(ports.yubikeys, account, changes);
    const plan = refusing(() => applied(ports, account, changes, marks));
    if (proven === 'nothing-to-prove' && plan.before !== undefined) {
      throw new ControlError(409, 'ERR_CHANGED', 'Your factors were changed meanwhile: try again');
    }
    await useUp(ports, account, plan.additions);
    save(ports, account, plan);
    report(ports, account, plan);
    return {
      added: plan.additions.map(({ factor, shown }) => ({
        user: account.name,
        factor: factorView(ports, account.name, factor),
        ...shown,
      })),
      view: await showUser(ports, account),
    };
  });
}

/**
 * Shows the secret of a TOTP or HOTP factor once more.
 *
 * @param ports - as {@link changeFactors}
 * @param caller - who asks
 * @param user - whose factor
 * @param which - its id or name
 * @param body - a Proof, not yet checked
 * @returns the secret
 * @throws ControlError when there is no such factor, or the caller proves nothing
 */
export async function showFactor(
  ports: FactorPorts,
  caller: Caller,
  user: string,
  which: string,
  body: unknown,
): Promise<ShownFactor> {
  const account = await accountFor(caller, user);
  const proof = proofOf(body);
  secretFactor(ports, account, which);
  if (!isRoot(caller)) {
    await prove(ports, account, proof);
  }
  const factor = secretFactor(ports, account, which);
  ports.log.event('notice', `Factor ${nameOf(factor)} shown for ${loggable(account.name)}`, {
    id: factor.id,
    by: caller.uid,
  });
  const shown = { user: account.name, factor: factorView(ports, account.name, factor) };
  if (factor.kind === 'totp') {
    return { ...shown, ...secretOf(factor, account) };
  }
  const used = ports.ledger.mark(hotpKey(account.name, factor))?.value ?? -1;
  const counter = Math.max(factor.counter, used + 1);
  return { ...shown, ...secretOf({ ...factor, counter }, account), counter };
}

/**
 * Forgets the failures that were counted of a user.
 *
 * @param ports - as {@link changeFactors}
 * @param caller - who asks
 * @param user - whose failures
 * @param body - a Proof, not yet checked
 * @returns what the user has
 * @throws ControlError when there is no such user, or the caller proves nothing
 */
export async function unlockUser(
  ports: FactorPorts,
  caller: Caller,
  user: string,
  body: unknown,
): Promise<UserView> {
  const account = await accountFor(caller, user);
  const proof = proofOf(body);
  if (!isRoot(caller)) {
    await prove(ports, account, proof);
  }
  ports.attempts.unlock(account.name);
  ports.log.event('notice', `Failures of ${loggable(account.name)} forgotten`, { by: caller.uid });
  return showUser(ports, account);
}

interface Addition {
  readonly factor: StoredFactor;
  /** What is shown this once. */
  readonly shown: Pick<AddedFactor, 'secret' | 'uri' | 'codes'>;
  /** Time step of a code that shall not work any more. */
  readonly usedStep?: number | undefined;
  /** Mark of the OTP that came with a YubiKey: it and those before it shall not work. */
  readonly usedMark?: number | undefined;
}

interface Plan {
  readonly before: EnrolmentRecord | undefined;
  readonly after: EnrolmentRecord;
  readonly additions: readonly Addition[];
}

/** Computes what the changes would make of the record as it is now. */
function applied(
  ports: FactorPorts,
  account: Account,
  changes: readonly CheckedChange[],
  marks: LookedUpMarks = new Map(),
): Plan {
  const before = recordOf(ports, account);
  const additions: Addition[] = [];
  let after: EnrolmentRecord = before ?? { user: account.name, uid: account.uid, factors: [] };
  for (const change of changes) {
    switch (change.do) {
      case 'add': {
        const { record, addition } = added(ports, account, after, change.factor, marks);
        after = record;
        additions.push(addition);
        break;
      }
      case 'remove':
        after = removeFactor(after, change.factor).record;
        break;
      case 'rename':
        after = renameFactor(after, change.factor, change.name);
        break;
      case 'pause':
      case 'resume':
        after = setPaused(after, change.factor, change.do === 'pause');
        break;
    }
  }
  assertUsable(after);
  return { before, after, additions };
}

function added(
  ports: FactorPorts,
  account: Account,
  before: EnrolmentRecord,
  wanted: CheckedFactor,
  marks: LookedUpMarks,
): { record: EnrolmentRecord; addition: Addition } {
  const now = ports.now();
  switch (wanted.kind) {
    case 'recovery': {
      const { recoveryKey } = ports.store;
      const { record, factor, codes } = addRecovery(account, before, recoveryKey, now, wanted.codes);
      return { record, addition: { factor, shown: { codes } } };
    }
    case 'totp': {
      const { record, factor } = addTotp(account, before, wanted, now);
      assertPlausible(wanted.usedStep, factor, now);
      return {
        record,
        addition: { factor, shown: secretOf(factor, account), usedStep: wanted.usedStep },
      };
    }
    case 'yubikey': {
      const usedMark = offlineMark(wanted) ?? marks.get(wanted);
      const { record, factor } = addYubikey(account, before, keptOf(wanted), wanted.name, now);
      return { record, addition: { factor, shown: {}, usedMark } };
    }
    case 'hotp': {
      const { record, factor } = addHotp(account, before, wanted, now);
      return { record, addition: { factor, shown: secretOf(factor, account) } };
    }
  }
}

/** A step in the far future would lock its owner out. */
function assertPlausible(usedStep: number | undefined, { period, window }: TotpFactor, now: number): void {
  if (usedStep !== undefined && usedStep > timeStep(period, now) + window) {
    throw new ControlError(
      400,
      'ERR_BAD_REQUEST',
      'usedStep: it lies in the future: is the clock of this machine right?',
    );
  }
}

/** The code that a person tried the new phone with shall open nothing. */
async function useUp(
  { ledger }: FactorPorts,
  { name }: Account,
  additions: readonly Addition[],
): Promise<void> {
  for (const { factor, usedStep, usedMark } of additions) {
    if ('publicId' in factor && usedMark !== undefined) {
      const outcome = await ledger.advance(yubikeyKey(name, factor), usedMark, { kind: 'counter' });
      if (outcome !== 'advanced') {
        throw outcome === 'spent' ? usedBefore() : unavailable('written');
      }
    }
    if (factor.kind === 'totp' && usedStep !== undefined) {
      const kind = { kind: 'time-step', validFor: factor.period * factor.window } as const;
      if ((await ledger.advance(totpKey(name, factor), usedStep, kind)) === 'unavailable') {
        throw unavailable('written');
      }
    }
  }
}

function secretOf(
  factor: TotpFactor | HotpFactor,
  account: Account,
): { readonly secret: string; readonly uri: string } {
  return { secret: encodeBase32(factor.secret), uri: otpauthUri(factor, hostname(), account.name) };
}

function secretFactor(ports: FactorPorts, account: Account, which: string): TotpFactor | HotpFactor {
  const record = recordOf(ports, account) ?? { user: account.name, uid: account.uid, factors: [] };
  const factor = refusing(() => findFactor(record, which));
  if (factor.kind === 'google-authenticator') {
    throw new ControlError(
      409,
      'ERR_NOT_SHOWN',
      `This is an imported file. To get it back: pve-google-authenticator export ${account.name}`,
    );
  }
  if (factor.kind === 'yubikey-online' || factor.kind === 'yubikey-offline') {
    throw new ControlError(409, 'ERR_NOT_SHOWN', 'The secrets of a YubiKey are never shown');
  }
  if (factor.kind === 'recovery') {
    throw new ControlError(
      409,
      'ERR_NOT_SHOWN',
      `Recovery codes are shown only once. New ones in their place: pve-google-authenticator recovery ${account.name}`,
    );
  }
  return factor;
}

function save(ports: FactorPorts, account: Account, { before, after }: Plan): void {
  if (after.factors.length > 0) {
    saved(ports, account, () => ports.store.write(after));
  } else if (before !== undefined) {
    saved(ports, account, () => ports.store.remove(account.name));
  }
}

/** One line for each factor that came, went or became another. */
function report({ log }: FactorPorts, { name }: Account, { before, after }: Plan): void {
  const old = before?.factors ?? [];
  const tell = (factor: StoredFactor, what: string): void =>
    log.event('notice', `Factor ${nameOf(factor)} ${what} for ${loggable(name)}`, { id: factor.id });
  for (const factor of after.factors) {
    const then = old.find(({ id }) => id === factor.id);
    if (then === undefined) {
      tell(factor, 'added');
    } else if (then.name !== factor.name) {
      tell(factor, `(before: ${then.name}) renamed`);
    } else if (then.paused !== factor.paused) {
      tell(factor, factor.paused === true ? 'paused' : 'resumed');
    }
  }
  old
    .filter(({ id }) => !after.factors.some((factor) => factor.id === id))
    .forEach((factor) => tell(factor, 'removed'));
}

function nameOf({ kind, name }: StoredFactor): string {
  return `${kind}:${name}`;
}
