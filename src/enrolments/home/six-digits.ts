import { createHmac } from 'node:crypto';

const COUNTER_BYTES = 8;
const MODULUS = 1_000_000;

/**
 * Says of which counters a code of six digits is: RFC 4226, section 5.3, with SHA-1 and secrets of any length, as in a file of
 * pam_google_authenticator. Every counter is computed and compared in the same way, whatever matches.
 *
 * @param secret - at least one byte
 * @param code - six ASCII digits
 * @param first - the first counter; those below zero match nothing
 * @param count - how many
 * @returns the counters, ascending
 */
export function countersOf(secret: Buffer, code: Uint8Array, first: number, count: number): number[] {
  const typed = Number(Buffer.from(code).toString('latin1'));
  const message = Buffer.alloc(COUNTER_BYTES);
  const hits = new Uint8Array(count);
  for (let place = 0; place < count; place++) {
    message.writeBigUInt64BE(BigInt(Math.max(first + place, 0)));
    const mac = createHmac('sha1', secret).update(message).digest();
    const offset = (mac.at(-1) ?? 0) & 0xf;
    const value = (mac.readUInt32BE(offset) & 0x7fff_ffff) % MODULUS;
    mac.fill(0);
    // 1 where nothing differs, without a branch.
    hits[place] = ((value ^ typed) - 1) >>> 31;
  }
  return Array.from(hits.keys(), (place) => first + place).filter(
    (counter, place) => hits[place] === 1 && counter >= 0,
  );
}
