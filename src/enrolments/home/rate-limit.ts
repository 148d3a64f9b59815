import type { RateLimit } from './settings.ts';
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
