import type { Account } from '../enrolments/enrolment.ts';
import { findFactor } from '../enrolments/store/edit.ts';
import { hotpKey } from '../enrolments/store/factor-keys.ts';
import type { HotpFactor, TotpFactor } from '../enrolments/store/record.ts';
import { loggable } from '../../log/escape.ts';
import { accountFor, isRoot, type Caller } from './callers.ts';
import { proofOf } from './change-schema.ts';
import { ControlError } from './control-error.ts';
import type { FactorPorts } from './factor-requests.ts';
import { assertProven, prove } from './proof.ts';
import { logName, recordOf, refusing } from './records.ts';
import type { ShownFactor } from '../../contracts/control-requests.ts';
import { secretOf } from './token-secret.ts';
import { UsedUp } from './used-up.ts';
import { factorView } from './views.ts';

/**
 * Shows the secret of a TOTP or HOTP factor once more.
 *
 * @param ports - store, ledger, sources, attempts, log, clocks
 * @param caller - who asks
 * @param user - whose factor
 * @param which - its id or name
 * @param body - a Proof, not yet checked
 * @returns the secret
 * @throws ControlError when there is no such factor, or the proof is missing or wrong
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
  const usedUp = new UsedUp();
  if (!isRoot(caller)) {
    assertProven(await prove(ports, account, proof), account);
    usedUp.proof(proof);
  }
  const factor = await usedUp.explaining(() => Promise.resolve(secretFactor(ports, account, which)))();
  ports.log.audit('notice', `Factor ${logName(factor)} shown for ${loggable(account.name)}`, {
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

function secretFactor(ports: FactorPorts, account: Account, which: string): TotpFactor | HotpFactor {
  const record = recordOf(ports, account) ?? { user: account.name, uid: account.uid, factors: [] };
  const factor = refusing(() => findFactor(record, which));
  if (factor.kind === 'google-authenticator') {
    throw new ControlError(
      409,
      'ERR_NOT_SHOWN',
      `This is an imported file. To get it back: pve-google-authenticator export --user ${account.name}`,
    );
  }
  if (factor.kind === 'yubikey-online' || factor.kind === 'yubikey-offline') {
    throw new ControlError(409, 'ERR_NOT_SHOWN', 'The secrets of a YubiKey are never shown');
  }
  if (factor.kind === 'recovery') {
    throw new ControlError(
      409,
      'ERR_NOT_SHOWN',
      `Recovery codes are shown only once. New ones in their place: pve-google-authenticator recovery --user ${account.name}`,
    );
  }
  return factor;
}
