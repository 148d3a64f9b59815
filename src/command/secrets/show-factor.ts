import { hostname } from 'node:os';
import type { FactorView } from '../../contracts/control-requests.ts';
import { decodeBase32 } from '../../factors/base32.ts';
import type { Hotp } from '../../factors/hotp.ts';
import { DEFAULT_PERIOD, DEFAULT_WINDOW, type Totp } from '../../factors/totp.ts';
import type { Output } from '../terminal/output.ts';
import type { QrMode } from '../terminal/qr.ts';
import { showSecret } from './show-secret.ts';

/** A factor of the store with its secret, as the daemon gives it. */
export interface RevealedFactor {
  readonly user: string;
  readonly factor: FactorView;
  /** Base32. */
  readonly secret: string;
  /** Of HOTP: the counter of the next code; 0 when left out. */
  readonly counter?: number;
}

/** How to show a factor; left-out fields have their default. */
export interface ShowOptions {
  readonly qrMode?: QrMode;
  readonly issuer?: string;
  readonly label?: string;
}

/**
 * The factor as an authenticator app knows it.
 *
 * @param revealed - with its secret
 * @returns the factor
 */
export function phoneFactor({ factor, secret, counter = 0 }: RevealedFactor): Totp | Hotp {
  const generator = {
    secret: decodeBase32(secret) ?? Buffer.alloc(0),
    algorithm: factor.algorithm ?? 'sha1',
    digits: factor.digits ?? 6,
  } as const;
  return factor.kind === 'hotp'
    ? { ...generator, counter }
    : { ...generator, period: factor.period ?? DEFAULT_PERIOD, window: DEFAULT_WINDOW };
}

/**
 * Shows a factor of the store, so that a phone can take it.
 *
 * @param output - where
 * @param revealed - with its secret
 * @param options - how
 */
export function showFactor(
  output: Output,
  revealed: RevealedFactor,
  { qrMode, issuer = hostname(), label = revealed.user }: ShowOptions = {},
): void {
  showSecret(output, phoneFactor(revealed), { issuer, label, mode: qrMode });
}
