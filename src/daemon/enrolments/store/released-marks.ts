import type { WholeLedger } from '../../ledger/ledger.ts';
import { keysOf, totpKey } from './factor-keys.ts';
import type { EnrolmentRecord, StoredFactor } from './record.ts';

/* Releases the marks of removed factors in the ledger. */

/**
 * How long the mark of a removed phone is kept after its last code, in seconds. If the same secret comes back, in the store or in
 * a ~/.google_authenticator (with a clock that is up to 1,500 steps off), used codes still do not count.
 */
const KEPT_SECONDS = 3 * 86_400;

/**
 * Tells the ledger which factors are no longer enrolled. Call this when their removal is durable. Marks of codes that do not
 * expire (of tokens, recovery codes, YubiKeys) stay while their owner has room for them.
 *
 * @param ledger - the ledger
 * @param before - what the user had; undefined: nothing
 * @param after - what the user has now
 * @param now - milliseconds since 1970
 */
export function releaseMarks(
  ledger: WholeLedger,
  before: EnrolmentRecord | undefined,
  after: EnrolmentRecord,
  now: number,
): void {
  const kept = new Set(after.factors.flatMap((factor) => keysOf(after.user, factor)));
  for (const factor of before?.factors ?? []) {
    const times = timesOf(after.user, factor);
    for (const key of keysOf(after.user, factor)) {
      const mark = ledger.mark(key);
      if (mark !== undefined && !kept.has(key)) {
        const lastCode = times?.key === key ? mark.value * times.period : undefined;
        ledger.release(
          key,
          lastCode === undefined ? undefined : Math.max(lastCode, now / 1000) + KEPT_SECONDS,
        );
      }
    }
  }
}

/** The key whose mark is a time step, and the step's length; undefined if the factor has none. */
function timesOf(
  user: string,
  factor: StoredFactor,
): { readonly key: string; readonly period: number } | undefined {
  const token = factor.kind === 'google-authenticator' ? factor.file.token : factor;
  return token?.kind === 'totp' ? { key: totpKey(user, token), period: token.period } : undefined;
}
