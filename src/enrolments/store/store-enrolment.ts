import type { CodeShape, TypedCode } from '../../factors/code-shape.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Enrolment, Verification } from '../enrolment.ts';
import { decide } from './decide.ts';
import type { StoredFactor } from './record.ts';

/**
 * The shapes that some factors take, each once, in ascending order of length.
 *
 * @param factors - the factors
 * @returns the shapes
 */
export function shapesOf(factors: readonly StoredFactor[]): CodeShape[] {
  const lengths = new Set(factors.map((factor) => factor.digits));
  return [...lengths].sort((a, b) => a - b).map((length) => ({ class: 'digits', length }));
}

/**
 * An enrolment whose factors are kept in the store.
 *
 * @param user - canonical name
 * @param shapes - the shapes that its factors take
 * @param factorsNow - reads the factors afresh; none when they are gone
 * @param ledger - where codes are used up
 * @returns the enrolment
 */
export function storeEnrolment(
  user: string,
  shapes: readonly CodeShape[],
  factorsNow: () => readonly StoredFactor[],
  ledger: Ledger,
): Enrolment {
  return {
    shapes,
    async verify(readings: readonly TypedCode[], now: number): Promise<Verification> {
      const decision = decide(user, factorsNow(), (key) => ledger.mark(key)?.value, readings, now);
      let spent = decision.spent;
      for (const { factor, reading, key, mark, kind } of decision.matches) {
        const outcome = await ledger.advance(key, mark, kind);
        switch (outcome) {
          case 'advanced':
            return { kind: 'accepted', factor, reading };
          case 'unavailable':
            return { kind: 'unavailable', factor, why: 'the use of the code cannot be recorded' };
          case 'spent':
            spent ??= factor;
            break;
        }
      }
      return spent === undefined
        ? { kind: 'rejected', reason: 'wrong-code' }
        : { kind: 'rejected', reason: 'code-already-used', factor: spent };
    },
  };
}
