import type { Account } from '../enrolments/enrolment.ts';
import type { OnlineYubikeys } from '../enrolments/yubico/online-yubikeys.ts';
import { matchYubikey, type OfflineYubikey } from '../../factors/yubikey.ts';
import type { CheckedChange, CheckedFactor } from './change-schema.ts';
import { ControlError } from './control-error.ts';

/** A YubiKey to add. */
export type WantedYubikey = Extract<CheckedFactor, { kind: 'yubikey' }>;
/** The marks of new YubiKeys after the OTPs that came with them, according to the validation servers. */
export type LookedUpMarks = ReadonlyMap<CheckedFactor, number | undefined>;

/**
 * The part of a new YubiKey that the record keeps.
 *
 * @param wanted - as it was asked for
 * @returns its public id and, when they were given, its secrets
 */
export function keptOf({
  otp,
  secrets,
  publicId,
}: WantedYubikey): { readonly publicId: string } | OfflineYubikey {
  return secrets ?? { publicId: otp?.publicId ?? publicId ?? '' };
}

/**
 * The mark of a new YubiKey after the OTP that came with its secrets.
 *
 * @param wanted - as it was asked for
 * @returns the mark; undefined when there is no OTP, or there are no secrets
 * @throws ControlError when they do not belong together
 */
export function offlineMark({ otp, secrets }: WantedYubikey): number | undefined {
  if (otp === undefined || secrets === undefined) {
    return undefined;
  }
  const finding = matchYubikey(secrets, otp.text);
  switch (finding?.is) {
    case 'intact':
      return finding.mark;
    case 'worn-out':
      throw new ControlError(
        409,
        'ERR_WORN_OUT',
        'The counter of this YubiKey has reached its end: program it with new secrets',
      );
    case undefined:
      throw new ControlError(403, 'ERR_WRONG_TOUCH', 'This touch is not from the YubiKey with these secrets');
  }
}

/**
 * A caller other than root adds only a key that was touched.
 *
 * @param changes - what is asked for
 * @throws ControlError when a YubiKey comes without an OTP
 */
export function assertTouched(changes: readonly CheckedChange[]): void {
  if (yubikeysOf(changes).some(({ otp }) => otp === undefined)) {
    throw new ControlError(403, 'ERR_TOUCH_NEEDED', 'The YubiKey must be touched to be added');
  }
}

/**
 * Has validation servers check the OTPs of keys whose secrets are not known here.
 *
 * @param yubikeys - who knows
 * @param account - whose keys they will be
 * @param changes - what is asked for
 * @returns the marks of those keys
 * @throws ControlError when one is not right, or cannot be checked
 */
export async function lookUpTouches(
  yubikeys: OnlineYubikeys,
  account: Account,
  changes: readonly CheckedChange[],
): Promise<LookedUpMarks> {
  const marks = new Map<CheckedFactor, number | undefined>();
  for (const wanted of yubikeysOf(changes)) {
    const { otp, secrets } = wanted;
    if (otp === undefined || secrets !== undefined) {
      continue;
    }
    if (otp.publicId === '') {
      throw new ControlError(
        409,
        'ERR_NO_PUBLIC_ID',
        'This YubiKey types no public id, so nobody can look it up',
      );
    }
    const answer = await yubikeys.lookUp(account.name, otp);
    switch (answer.kind) {
      case 'right':
        marks.set(wanted, answer.mark);
        break;
      case 'wrong':
        throw new ControlError(403, 'ERR_WRONG_TOUCH', 'The validation server does not know this YubiKey');
      case 'replayed':
        throw usedBefore();
      case 'unavailable':
        throw new ControlError(503, 'ERR_UNAVAILABLE', `The YubiKey cannot be checked: ${answer.why}`);
    }
  }
  return marks;
}

/** @returns the refusal of an OTP that was used before */
export function usedBefore(): ControlError {
  return new ControlError(403, 'ERR_TOUCH_USED', 'This touch was used before: touch the YubiKey again');
}

function yubikeysOf(changes: readonly CheckedChange[]): WantedYubikey[] {
  return changes.flatMap((change) =>
    change.do === 'add' && change.factor.kind === 'yubikey' ? [change.factor] : [],
  );
}
