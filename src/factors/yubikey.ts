import { decryptToken, LAST_SESSION, parseOtp, type KeySecrets } from '../yubico-otp/index.ts';

/** OTPs of one session: the session use has 8 bits. */
const USES = 0x100;
const SESSION_BITS = 0x7fff;

/** A YubiKey whose secrets are known here. */
export interface OfflineYubikey extends KeySecrets {
  /** What its OTPs begin with: 0 to 16 modhex letters. */
  readonly publicId: string;
}

/** What an OTP of an {@link OfflineYubikey} is worth, before it is used up. `undefined`: it is not of this key. */
export type YubikeyFinding =
  | {
      readonly is: 'intact';
      /** See {@link yubikeyMark}. */
      readonly mark: number;
    }
  /** The key has counted to its end: its new OTPs cannot be told from old ones any more. */
  | { readonly is: 'worn-out' };

/**
 * The counters of an OTP as one mark that grows with every touch: the session counter, then the use in the session. Bit 15 of
 * the session counter is a flag and does not count.
 *
 * @param sessionCounter - how often the key was plugged in
 * @param sessionUse - how many OTPs came since
 * @returns 0 to 8388607; undefined when a counter is out of range
 */
export function yubikeyMark(sessionCounter: number, sessionUse: number): number | undefined {
  const inRange = (value: number, limit: number): boolean =>
    Number.isInteger(value) && value >= 0 && value <= limit;
  return inRange(sessionCounter, 0xffff) && inRange(sessionUse, USES - 1)
    ? (sessionCounter & SESSION_BITS) * USES + sessionUse
    : undefined;
}

/**
 * Checks an OTP with the key's secrets. That its mark is larger than those before is for the ledger to say.
 *
 * @param yubikey - the key
 * @param typed - what the person typed
 * @returns what it is worth; undefined when it is not of this key
 */
export function matchYubikey(yubikey: OfflineYubikey, typed: string): YubikeyFinding | undefined {
  const otp = parseOtp(typed);
  if (otp?.publicId !== yubikey.publicId) {
    return undefined;
  }
  const token = decryptToken(otp.token, yubikey);
  if (token === undefined) {
    return undefined;
  }
  const mark = yubikeyMark(token.sessionCounter, token.sessionUse);
  return mark === undefined || token.sessionCounter === LAST_SESSION
    ? { is: 'worn-out' }
    : { is: 'intact', mark };
}
