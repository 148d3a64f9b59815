import type { Attempts, Locks } from '../attempts/attempts.ts';
import type { Account } from '../enrolments/enrolment.ts';
import { keysOf, totpKey, yubikeyKey } from '../enrolments/store/factor-keys.ts';
import { releaseMarks } from '../enrolments/store/released-marks.ts';
import type { StoredFactor } from '../enrolments/store/record.ts';
import type { OnlineYubikeys } from '../enrolments/yubico/online-yubikeys.ts';
import { loggable } from '../../log/escape.ts';
import { accountFor, isRoot, type Caller } from './callers.ts';
import { changesOf, proofOf, type CheckedChange } from './change-schema.ts';
import { ControlError } from './control-error.ts';
import { assertTouched, lookUpTouches, usedBefore } from './new-yubikey.ts';
import type { WholeLedger } from '../ledger/ledger.ts';
import { OneAtATime } from '../enrolments/one-at-a-time.ts';
import { planned, type Plan } from './planned-changes.ts';
import { assertProven, needsProof, prove, type ProofPorts } from './proof.ts';
import { logName, refusing, saved, unavailable } from './records.ts';
import type { Changed, UserView } from '../../contracts/control-requests.ts';
import { UsedUp } from './used-up.ts';
import { factorView, showUser, shownAfter, type ViewPorts } from './views.ts';

/** What requests about factors need. */
export interface FactorPorts extends ViewPorts, ProofPorts {
  readonly attempts: Attempts & Locks;
  readonly ledger: WholeLedger;
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
 * @returns what was added, with its secrets, and what the user has now
 * @throws ControlError when the request, the record or the disk does not allow it, or the proof is missing or wrong
 */
export async function changeFactors(
  ports: FactorPorts,
  caller: Caller,
  user: string,
  body: unknown,
): Promise<Changed> {
  const account = await accountFor(caller, user);
  const { changes, proof, check } = changesOf(body);
  if (check === true) {
    return checkChanges(ports, caller, account, changes);
  }
  const usedUp = new UsedUp();
  const work = usedUp.explaining(async (): Promise<Changed> => {
    if (!isRoot(caller)) {
      assertTouched(changes);
    }
    // An impossible request must not use up a code.
    refusing(() => planned(ports, account, changes));
    const proven = isRoot(caller) ? undefined : await prove(ports, account, proof);
    if (proven?.kind === 'proven') {
      usedUp.proof(proof);
    }
    const marks = await lookUpTouches(ports.yubikeys, account, changes);
    if (marks.size > 0) {
      usedUp.touch();
    }
    const plan = refusing(() => planned(ports, account, changes, marks));
    if (proven?.kind === 'nothing-to-prove' && plan.before !== undefined) {
      throw new ControlError(409, 'ERR_CHANGED', 'Your factors were changed meanwhile: try again');
    }
    await useUp(ports, account, plan, usedUp);
    save(ports, account, plan);
    report(ports, account, plan);
    return {
      added: plan.additions.map(({ factor, shown }) => ({
        user: account.name,
        factor: factorView(ports, account.name, factor),
        ...shown,
      })),
      view: await shownAfter(ports, account),
    };
  });
  return changing.run(account.name, work);
}

/** Does the part of {@link changeFactors} that comes before a proof. It changes nothing, and needs no touch of a YubiKey. */
async function checkChanges(
  ports: FactorPorts,
  caller: Caller,
  account: Account,
  changes: readonly CheckedChange[],
): Promise<Changed> {
  refusing(() => planned(ports, account, changes));
  return {
    added: [],
    needsProof: !isRoot(caller) && (await needsProof(ports, account)),
    view: await showUser(ports, account),
  };
}

/**
 * Forgets the failures that were counted of a user. Everybody but root needs a code for it. If the look-up finds no factor, that
 * is no proof either: a line of pam.d may name a factor that cannot be looked up here.
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
  if (isRoot(caller)) {
    ports.attempts.unlock(account.name);
  } else {
    const proven = await prove(ports, account, proof);
    assertProven(proven, account);
    // Having one factor does not prove the others: a program of the user may have added its own factor, to keep guessing at
    // another.
    ports.attempts.unlock(account.name, proven.guessedAt ?? '');
  }
  ports.log.audit('notice', `Failures of ${loggable(account.name)} forgotten`, { by: caller.uid });
  return shownAfter(ports, account);
}

/**
 * The code that a person tried the new phone with must not let anybody in. A factor that the same request removes again gets no
 * mark: otherwise every request could leave marks behind. If the factor was enrolled before, its old marks are kept permanently
 * again.
 */
async function useUp(
  ports: FactorPorts,
  { name, uid }: Account,
  { additions, after }: Plan,
  usedUp: UsedUp,
): Promise<void> {
  const ledger = ports.ledger.of({ uid, keep: 'always' });
  const left = additions.filter((addition) => after.factors.some(({ id }) => id === addition.factor.id));
  const keys = left.flatMap(({ factor }) => keysOf(name, factor));
  if (!(await ports.ledger.hold(uid, keys))) {
    throw unavailable('written');
  }
  for (const { factor, usedStep, usedMark } of left) {
    if ('publicId' in factor && usedMark !== undefined) {
      const outcome = await ledger.advance(yubikeyKey(name, factor), usedMark, { kind: 'counter' });
      if (outcome !== 'advanced') {
        throw outcome === 'spent' ? usedBefore() : unavailable('written');
      }
      usedUp.touch();
    }
    if (factor.kind === 'totp' && usedStep !== undefined) {
      const kind = { kind: 'time-step', validFor: factor.period * factor.window } as const;
      if ((await ledger.advance(totpKey(name, factor), usedStep, kind)) === 'unavailable') {
        throw unavailable('written');
      }
    }
  }
}

function save(ports: FactorPorts, account: Account, { before, after }: Plan): void {
  try {
    if (after.factors.length > 0) {
      saved(ports, account, () => ports.store.write(after));
    } else if (before !== undefined) {
      saved(ports, account, () => ports.store.remove(account.name));
    }
  } catch (error) {
    releaseMarks(ports.ledger, after, before ?? { ...after, factors: [] }, ports.now());
    throw error;
  }
  releaseMarks(ports.ledger, before, after, ports.now());
}

/** Logs one line for each factor that was added, removed or changed. */
function report({ log }: FactorPorts, { name }: Account, { before, after }: Plan): void {
  const old = before?.factors ?? [];
  const tell = (factor: StoredFactor, what: string): void =>
    log.audit('notice', `Factor ${logName(factor)} ${what} for ${loggable(name)}`, { id: factor.id });
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
