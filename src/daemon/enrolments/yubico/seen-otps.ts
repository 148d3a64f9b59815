import { createHash } from 'node:crypto';

/** How long an OTP is remembered: longer than any validation takes, and than two servers of a pool need to agree. */
export const REMEMBERED_MS = 10 * 60_000;
/** The most look-ups in that time. */
const MAX_REMEMBERED = 10_000;

/**
 * The OTPs that were sent to a validation server lately. Some servers accept one OTP twice if it comes twice at the same moment.
 * Here, only the first is sent to the server.
 */
export class SeenOtps {
  readonly #monotonic: () => number;
  /** In order of arrival. */
  readonly #seen = new Map<string, number>();

  /** @param monotonic - a clock in milliseconds that never jumps */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /**
   * Whether an OTP was noted lately.
   *
   * @param otp - in its normal form
   * @returns true when it was
   */
  has(otp: string): boolean {
    this.#forget();
    return this.#seen.has(digestOf(otp));
  }

  /**
   * Notes an OTP.
   *
   * @param otp - in its normal form
   * @returns false if there is no room for it; then it must not be looked up
   */
  note(otp: string): boolean {
    this.#forget();
    if (this.#seen.size >= MAX_REMEMBERED) {
      return false;
    }
    this.#seen.set(digestOf(otp), this.#monotonic());
    return true;
  }

  #forget(): void {
    const now = this.#monotonic();
    for (const [digest, at] of this.#seen) {
      if (now - at < REMEMBERED_MS) {
        return;
      }
      this.#seen.delete(digest);
    }
  }
}

function digestOf(otp: string): string {
  return createHash('sha256').update(otp).digest('base64');
}
