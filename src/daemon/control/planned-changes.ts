import type { Account } from '../enrolments/enrolment.ts';
import { addHotp, addRecovery, addTotp, addYubikey } from '../enrolments/store/add-factor.ts';
import { assertUsable, removeFactor, renameFactor, setPaused } from '../enrolments/store/edit.ts';
import type { EnrolmentRecord, StoredFactor, TotpFactor } from '../enrolments/store/record.ts';
import { timeStep } from '../../factors/totp.ts';
import type { CheckedChange, CheckedFactor } from './change-schema.ts';
import { ControlError } from './control-error.ts';
import { keptOf, offlineMark, type LookedUpMarks } from './new-yubikey.ts';
import { recordOf, type RecordPorts } from './records.ts';
import type { AddedFactor } from '../../contracts/control-requests.ts';
import { secretOf } from './token-secret.ts';

/** What planning changes needs. */
export interface PlanPorts extends RecordPorts {
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
}

/** A new factor, and what belongs to it outside the record. */
export interface Addition {
  readonly factor: StoredFactor;
  /** The secrets that the answer shows, this once. */
  readonly shown: Pick<AddedFactor, 'secret' | 'uri' | 'codes'>;
  /** Time step of a code that must no longer work. */
  readonly usedStep?: number | undefined;
  /** Mark of the OTP that came with a YubiKey. That OTP and earlier ones must not work. */
  readonly usedMark?: number | undefined;
}

/** The result of a request, before it is written. */
export interface Plan {
  readonly before: EnrolmentRecord | undefined;
  readonly after: EnrolmentRecord;
  readonly additions: readonly Addition[];
}

/**
 * Computes how changes would alter the current record. Nothing is written.
 *
 * @param ports - store and clock
 * @param account - whose
 * @param changes - in their order
 * @param marks - of the YubiKeys that a server checked
 * @returns the record before and after, and what is added
 * @throws ChangeError, ControlError when the record or a change does not allow it
 */
export function planned(
  ports: PlanPorts,
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
  ports: PlanPorts,
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

/** A mark in the far future would lock its owner out. */
function assertPlausible(usedStep: number | undefined, { period, window }: TotpFactor, now: number): void {
  if (usedStep !== undefined && usedStep > timeStep(period, now) + window) {
    throw new ControlError(
      400,
      'ERR_BAD_REQUEST',
      'usedStep: it is in the future: is the clock of this machine right?',
    );
  }
}
