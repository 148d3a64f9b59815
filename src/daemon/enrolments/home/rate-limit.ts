import { MAX_RATE_ATTEMPTS, rateLimitOf, type RateLimit } from './settings.ts';
import { withOption } from './state-file.ts';

/**
 * Whether the file's own limit holds an attempt back.
 *
 * @param limit - of the file
 * @param now - seconds since 1970
 * @returns whether it does
 */
export function isRateLimited(limit: RateLimit, now: number): boolean {
  return running(limit, now).length >= limit.attempts;
}

/**
 * Counts an attempt in the file. A try that is held back is not counted: it does not prolong the wait.
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

/** Attempts that still count; one in the future is a clock that was wrong. */
function running({ seconds, times }: RateLimit, now: number): number[] {
  return times.filter((time) => time >= now - seconds && time <= now);
}

/** Files of which attempts are remembered; the one that was added first is forgotten for a new one. */
const MAX_FILES = 1_024;

/** Attempts that a file with a limit could not be told of, in memory: a limit that cannot be written is one all the same. */
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

  /** The file could be written. */
  forget(file: string): void {
    this.#times.delete(file);
  }

  /**
   * The file as it would be if it had been told.
   *
   * @param file - its path
   * @param text - what it says
   * @returns the text; equal when nothing is missing in it, or it has no limit
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
