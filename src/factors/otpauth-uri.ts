import { encodeBase32 } from './base32.ts';
import { DEFAULT_PERIOD, type Totp } from './totp.ts';

/**
 * The URI that a phone reads from a QR code (Key URI Format). Parameters that have the usual value are left out, so that the
 * QR code stays small; some phones also stumble over them.
 *
 * @param totp - the factor
 * @param issuer - who asks for the code: shown on the phone
 * @param label - whose code it is: shown on the phone
 * @returns an `otpauth://totp/…` URI. A secret: it holds the shared secret.
 */
export function otpauthUri(totp: Totp, issuer: string, label: string): string {
  const parameters = [`secret=${encodeBase32(totp.secret)}`, `issuer=${encodeURIComponent(issuer)}`];
  if (totp.algorithm !== 'sha1') {
    parameters.push(`algorithm=${totp.algorithm.toUpperCase()}`);
  }
  if (totp.digits !== 6) {
    parameters.push(`digits=${totp.digits}`);
  }
  if (totp.period !== DEFAULT_PERIOD) {
    parameters.push(`period=${totp.period}`);
  }
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(label)}?${parameters.join('&')}`;
}
