import { MAX_RATE_ATTEMPTS, rateLimitOf, type RateLimit } from './settings.ts';
import { withOption } from './state-file.ts';

/* The option RATE_LIMIT of a file, and attempts that could not be written into it. */

/**
 * Whether the file's own limit refuses an attempt.
 *
 * @param limit - of the file
 * @param now - seconds since 1970
 * @returns whether it does
 */
export function isRateLimited(limit: RateLimit, now: number): boolean {
  return running(limit, now).length >= limit.attempts;
}

/**
 * Counts an attempt in the file. A refused try is not counted, so it does not prolong the wait.
 *
 * @param text - of the file
 * @param limit - of the file
 * @param now - seconds since 1970
 * @returns the new text
 */
export function withAttempt(text: string, limit: RateLimit, now: number): string {
  const times = [...running(limit, now), now].sort((a, b) => a - b);
  return withOption(text, 'RATE_LIMIT', [limit.attempts, limit.seconds, ...times].join(' '));
}

/** The attempts that still count. One in the future comes from a wrong clock. */
function running({ seconds, times }: RateLimit, now: number): number[] {
  return times.filter((time) => time >= now - seconds && time <= now);
}

/** The most files whose attempts are remembered. A new one replaces the one that was added first. */
const MAX_FILES = 1_024;

/**
 * Attempts that could not be written into a file with a limit, kept in memory. So the limit applies even if the file cannot be
 * written.
 */
export class UnwrittenAttempts {
  readonly #times = new Map<string, readonly number[]>();

  /**
   * Remembers an attempt.
   *
   * @param file - its path
   * @param now - seconds since 1970
   */
  add(file: string, now: number): void {
    const times = [...(this.#times.get(file) ?? []), now].slice(-MAX_RATE_ATTEMPTS);
    this.#times.delete(file);
    this.#times.set(file, times);
    for (const [first] of this.#times) {
      if (this.#times.size <= MAX_FILES) {
        break;
      }
      this.#times.delete(first);
    }
  }

  /** Forgets the attempts of a file, because the file could be written. */
  forget(file: string): void {
    this.#times.delete(file);
  }

  /**
   * The file as it would be if all attempts had been written.
   *
   * @param file - its path
   * @param text - its text
   * @returns the text; unchanged if nothing is missing in it, or it has no limit
   */
  applied(file: string, text: string): string {
    const times = this.#times.get(file);
    const limit = times === undefined ? undefined : rateLimitOf(text);
    if (times === undefined || limit === undefined || 'bad' in limit) {
      return text;
    }
    const all = [...limit.times, ...times].sort((a, b) => a - b);
    return withOption(text, 'RATE_LIMIT', [limit.attempts, limit.seconds, ...all].join(' '));
  }
}
