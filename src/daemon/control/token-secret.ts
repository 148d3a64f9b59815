import { hostname } from 'node:os';
import type { Account } from '../enrolments/enrolment.ts';
import type { HotpFactor, TotpFactor } from '../enrolments/store/record.ts';
import { encodeBase32 } from '../../factors/base32.ts';
import { otpauthUri } from '../../formats/otpauth-uri.ts';

/**
 * The secret of a factor, in the form of an answer.
 *
 * @param factor - the factor; of HOTP, `counter` is that of the next code
 * @param account - whose
 * @returns base32, and the URI for the QR code
 */
export function secretOf(
  factor: TotpFactor | HotpFactor,
  account: Account,
): { readonly secret: string; readonly uri: string } {
  return { secret: encodeBase32(factor.secret), uri: otpauthUri(factor, hostname(), account.name) };
}
