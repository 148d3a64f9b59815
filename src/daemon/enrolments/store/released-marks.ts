import type { WholeLedger } from '../../ledger/ledger.ts';
import { keysOf, totpKey } from './factor-keys.ts';
import type { EnrolmentRecord, StoredFactor } from './record.ts';

/**
 * How long the mark of a removed phone is kept after its last code, in seconds: if the same secret is enrolled again, or comes back in a
 * ~/.google_authenticator, whose clock may differ by up to 1,500 steps, no code counts that was used before.
 */
const KEPT_SECONDS = 3 * 86_400;

/**
 * Tells the ledger which factors are not enrolled any more. To be called when that is durable. Marks of codes without a time (of tokens,
 * recovery codes, YubiKeys) stay as long as there is room among the marks of their owner.
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

/** The key whose mark is a time step, and the length of that; undefined: the factor has none. */
function timesOf(
  user: string,
  factor: StoredFactor,
): { readonly key: string; readonly period: number } | undefined {
  const token = factor.kind === 'google-authenticator' ? factor.file.token : factor;
  return token?.kind === 'totp' ? { key: totpKey(user, token), period: token.period } : undefined;
}
