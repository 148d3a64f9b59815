import type { TypedCode } from '../../factors/code-shape.ts';
import { matchTotp } from '../../factors/totp.ts';
import type { MarkKind } from '../../ledger/ledger.ts';
import { markKey } from '../../ledger/mark-key.ts';
import type { StoredFactor } from './record.ts';

/** One way in which an answer is right: what must be used up for it. */
export interface Match {
  /** Kind and name of the factor, for the log. */
  readonly factor: string;
  /** Index of the reading that is right. */
  readonly reading: number;
  readonly key: string;
  /** The mark to advance to. */
  readonly mark: number;
  readonly kind: MarkKind;
}

/** What an answer is worth, before anything is used up. */
export interface Decision {
  /** Ways in which it is right and not used up, as far as is known now. */
  readonly matches: readonly Match[];
  /** The factor whose code it was before: it is used up. */
  readonly spent: string | undefined;
}

/**
 * Checks an answer against all factors of a user. It computes only: no clock, no disk, nothing is used up. All factors and all
 * readings are tried, whatever matches, so that the time taken does not tell which.
 *
 * @param user - canonical name
 * @param factors - the user's factors
 * @param markOf - how far a key is used up; undefined: not at all
 * @param readings - the answer, read as each shape that fits
 * @param now - milliseconds since 1970
 * @returns the ways in which it is right
 */
export function decide(
  user: string,
  factors: readonly StoredFactor[],
  markOf: (key: string) => number | undefined,
  readings: readonly TypedCode[],
  now: number,
): Decision {
  const matches: Match[] = [];
  let spent: string | undefined;
  for (const factor of factors) {
    const key = markKey(user, `totp/${factor.period}`, factor.secret);
    for (const [reading, { shape, text }] of readings.entries()) {
      const step = matchTotp(factor, text, now);
      if (step === undefined || shape.class !== 'digits' || shape.length !== factor.digits) {
        continue;
      }
      const name = `totp:${factor.name}`;
      if (step <= (markOf(key) ?? -1)) {
        spent ??= name;
      } else {
        const kind: MarkKind = { kind: 'time-step', validFor: factor.period * factor.window };
        matches.push({ factor: name, reading, key, mark: step, kind });
      }
    }
  }
  return { matches, spent };
}
