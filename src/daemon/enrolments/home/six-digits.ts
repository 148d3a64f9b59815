import { timingSafeEqual } from 'node:crypto';
import { hotpWindow } from '../../../host/hotp-window.ts';

const DIGITS = 6;

/**
 * Finds the counters that a code of six digits belongs to: RFC 4226, section 5.3, with SHA-1 and secrets of any length, as
 * pam_google_authenticator allows. Every counter is computed and compared in the same way, so the time does not tell which one
 * matches.
 *
 * @param secret - at least one byte
 * @param code - six ASCII digits
 * @param first - the first counter; those below zero match nothing
 * @param count - how many
 * @returns the counters, ascending
 */
export function countersOf(secret: Buffer, code: Uint8Array, first: number, count: number): number[] {
  const values = hotpWindow({ algorithm: 'sha1', secret, digits: DIGITS, first, count });
  const hits = new Uint8Array(count);
  for (let place = 0; place < count; place++) {
    const value = values.subarray(place * DIGITS, (place + 1) * DIGITS);
    hits[place] = Number(code.length === DIGITS && timingSafeEqual(code, value));
  }
  values.fill(0);
  return Array.from(hits.keys(), (place) => first + place).filter(
    (counter, place) => hits[place] === 1 && counter >= 0,
  );
}
