import { encodeBase32 } from '../../factors/base32.ts';
import type { Hotp } from '../../factors/hotp.ts';
import type { Totp } from '../../factors/totp.ts';
import { phoneUri } from './otp.ts';
import type { Output } from '../terminal/output.ts';
import { drawQr, type Drawing, type QrMode } from '../terminal/qr.ts';
import { fits, usualMode, type Terminal } from '../terminal/terminal.ts';

/** How to show a secret. */
export interface Wishes {
  /** Who asks for the code; empty: nobody. */
  readonly issuer: string;
  /** Whose code it is. */
  readonly label: string;
  /** Undefined: as suits the terminal. */
  readonly mode: QrMode | undefined;
}

const SHORTEST = 1;

/**
 * The secret as people type it into a phone.
 *
 * @param secret - base32
 * @returns the same in groups of four
 */
export function grouped(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(' ') ?? '';
}

/**
 * Shows a secret: the key to type, and a QR code as far as it fits. For a small terminal the names in it are shortened first.
 *
 * @param output - where
 * @param factor - what the phone has to know
 * @param wishes - names, and how to draw
 */
export function showSecret(output: Output, factor: Totp | Hotp, wishes: Wishes): void {
  const key = grouped(encodeBase32(factor.secret));
  const mode = wishes.mode ?? usualMode(output.terminal);
  if (mode === 'NONE') {
    output.line(`Key for your authenticator app: ${key}`);
    return;
  }
  const drawing = fittingDrawing(factor, wishes, mode, output.terminal);
  if (drawing === undefined) {
    output.note('The QR code does not fit this terminal: make it larger, or type the key.');
    output.line(`Key for your authenticator app: ${key}`);
    return;
  }
  output.line(`Scan this with your app, or type: ${key}`);
  drawing.lines.forEach((line) => output.line(line));
}

/**
 * A QR code that fits.
 *
 * @param factor - what the phone has to know
 * @param wishes - names that may be shortened
 * @param mode - how to draw
 * @param terminal - where
 * @returns the drawing with the longest names that fit, or undefined
 */
export function fittingDrawing(
  factor: Totp | Hotp,
  wishes: Wishes,
  mode: QrMode,
  terminal: Terminal | undefined,
): Drawing | undefined {
  for (const { issuer, label } of shorterNames(wishes)) {
    const drawing = drawQr(phoneUri(factor, issuer, label), mode);
    if (fits(drawing, terminal)) {
      return drawing;
    }
  }
  return undefined;
}

/** The names as they are, then shorter ones: first without domains, then the longer of the two loses characters. */
function* shorterNames({ issuer, label }: Pick<Wishes, 'issuer' | 'label'>): Iterable<{
  issuer: string;
  label: string;
}> {
  yield { issuer, label };
  let shorter = { issuer: issuer.split('.')[0] ?? '', label };
  yield shorter;
  shorter = { ...shorter, label: label.split('@')[0] ?? '' };
  yield shorter;
  const cut = (text: string): string => Array.from(text).slice(0, -1).join('');
  while (shorter.issuer.length > SHORTEST || shorter.label.length > SHORTEST) {
    shorter =
      shorter.issuer.length >= shorter.label.length
        ? { ...shorter, issuer: cut(shorter.issuer) }
        : { ...shorter, label: cut(shorter.label) };
    yield shorter;
  }
}
