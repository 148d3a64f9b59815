import { assertInteger } from './arguments.ts';
import { loadAddon } from './load-addon.ts';

/** The indexes of the hash functions in the addon's list. */
const HASHES = { sha1: 0, sha256: 1, sha512: 2 } as const;

/** More values at once would keep the event loop waiting: 4,096 take some milliseconds. */
const LARGEST_WINDOW = 4096;
/** Far more than any secret has. */
const LARGEST_KEY = 65_536;
const MOST_DIGITS = 9;

/** The one-time passwords to compute. */
export interface HotpWindow {
  readonly algorithm: keyof typeof HASHES;
  /** At most 65,536 bytes; it is neither kept nor changed. */
  readonly secret: Uint8Array;
  /** 1 to 9. */
  readonly digits: number;
  /** The first counter. Counters below zero are computed as zero, so they cost the same. */
  readonly first: number;
  /** 1 to 4,096. */
  readonly count: number;
}

interface Addon {
  hotpValues(
    hash: number,
    secret: Uint8Array,
    first: number,
    count: number,
    digits: number,
    into: Uint8Array,
  ): void;
}

/**
 * The HOTP values of a whole window (RFC 4226, section 5.3; RFC 6238 for the hash functions). The key is hashed only once, and
 * each value costs the same. The caller compares in constant time.
 *
 * @param window - which
 * @returns `count * digits` ASCII digits, one value after the other. A secret: wipe it after use.
 * @throws TypeError, RangeError for an invalid window
 */
export function hotpWindow({ algorithm, secret, digits, first, count }: HotpWindow): Buffer {
  assertInteger('digits', digits, 1, MOST_DIGITS);
  assertInteger('count', count, 1, LARGEST_WINDOW);
  assertInteger('first', first, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  assertInteger("the secret's length", secret.length, 0, LARGEST_KEY);
  // Own memory, not Node's pool, so that wiping leaves no copy.
  const values = Buffer.alloc(count * digits);
  (loadAddon() as Addon).hotpValues(HASHES[algorithm], secret, first, count, digits, values);
  return values;
}
