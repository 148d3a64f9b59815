import { encodeBase32 } from '../factors/base32.ts';
import type { Hotp } from '../factors/hotp.ts';
import { DEFAULT_PERIOD, type Totp } from '../factors/totp.ts';

/**
 * The URI that a phone reads from a QR code (Key URI Format). Parameters that have the usual value are left out, so that the
 * QR code stays small; some phones also stumble over them.
 *
 * @param factor - the factor
 * @param issuer - who asks for the code: shown on the phone; empty: nobody is named
 * @param label - whose code it is: shown on the phone
 * @returns an `otpauth://totp/…` or `otpauth://hotp/…` URI. A secret: it holds the shared secret.
 */
export function otpauthUri(factor: Totp | Hotp, issuer: string, label: string): string {
  const parameters = [`secret=${encodeBase32(factor.secret)}`];
  if (issuer !== '') {
    parameters.push(`issuer=${encodeURIComponent(issuer)}`);
  }
  if (factor.algorithm !== 'sha1') {
    parameters.push(`algorithm=${factor.algorithm.toUpperCase()}`);
  }
  if (factor.digits !== 6) {
    parameters.push(`digits=${factor.digits}`);
  }
  if ('counter' in factor) {
    // Required for HOTP, whatever the value.
    parameters.push(`counter=${factor.counter}`);
  } else if (factor.period !== DEFAULT_PERIOD) {
    parameters.push(`period=${factor.period}`);
  }
  const type = 'counter' in factor ? 'hotp' : 'totp';
  const named = issuer === '' ? '' : `${encodeURIComponent(issuer)}:`;
  return `otpauth://${type}/${named}${encodeURIComponent(label)}?${parameters.join('&')}`;
}
