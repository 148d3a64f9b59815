import { createHmac } from 'node:crypto';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The data of a factor in an authenticator app. The defaults are those of every app. */
export interface App {
  /** The secret in base32. */
  readonly secret: string;
  readonly digits?: number;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  /** Seconds that a code is shown. */
  readonly period?: number;
}

/**
 * The code that an app shows: RFC 6238, computed here without any code of ours, so that it is a second opinion.
 *
 * @param app - what the app knows
 * @param steps - how many time steps from now, 0 by default
 * @returns the digits
 */
export function codeOf(app: App, steps = 0): string {
  const { secret, digits, algorithm, period = 30 } = app;
  return hotpCode(bytesOfBase32(secret), Math.floor(Date.now() / 1000 / period) + steps, digits, algorithm);
}

/**
 * The code for a counter or a time step: RFC 4226.
 *
 * @param secret - its bytes
 * @param counter - the counter, or the time step
 * @param digits - how many
 * @param algorithm - the hash
 * @returns the digits
 */
export function hotpCode(secret: Buffer, counter: number, digits = 6, algorithm = 'sha1'): string {
  const message = Buffer.alloc(8);
  message.writeBigUInt64BE(BigInt(counter));
  const mac = createHmac(algorithm, secret).update(message).digest();
  const offset = mac[mac.length - 1]! & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}

/**
 * A code that is wrong now and stays wrong for some minutes, whatever the window.
 *
 * @param app - what the app knows
 * @returns as many digits as the app shows
 */
export function wrongCodeOf(app: App): string {
  const around = new Set<string>();
  for (let steps = -40; steps <= 40; steps += 1) {
    around.add(codeOf(app, steps));
  }
  const digits = app.digits ?? 6;
  let number = 0;
  while (around.has(String(number).padStart(digits, '0'))) {
    number += 1;
  }
  return String(number).padStart(digits, '0');
}

/**
 * The code of a counter, as an app shows it.
 *
 * @param app - what the app knows
 * @param counter - which
 * @returns the digits
 */
export function counterCodeOf({ secret, digits, algorithm }: App, counter: number): string {
  return hotpCode(bytesOfBase32(secret), counter, digits, algorithm);
}

function bytesOfBase32(text: string): Buffer {
  const letters = Array.from(text.replace(/=+$/, ''), (letter) => BASE32.indexOf(letter));
  const bits = letters.map((value) => value.toString(2).padStart(5, '0')).join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
}
