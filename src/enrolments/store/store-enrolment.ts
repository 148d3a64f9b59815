import type { CodeShape, TypedCode } from '../../factors/code-shape.ts';
import { RECOVERY_CODE_LENGTH } from '../../factors/recovery-code.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { AttemptLimit, Enrolment, Verification } from '../enrolment.ts';
import { decide } from './decide.ts';
import { SCRATCH_CODE_LENGTH } from './imported-file.ts';
import type { StoredFactor } from './record.ts';
import type { Resynchronisation } from './resynchronisation.ts';

/** What the factors in the store are checked with. */
export interface StoreContext {
  /** Where codes are used up. */
  readonly ledger: Ledger;
  readonly resynchronisation: Resynchronisation;
  /** Key of the hashes of recovery codes, 32 bytes. */
  readonly recoveryKey: () => Uint8Array;
}

/**
 * The shapes that some factors take, each once: codes of digits in ascending order of length, then recovery codes.
 *
 * @param factors - the factors
 * @returns the shapes
 */
export function shapesOf(factors: readonly StoredFactor[]): CodeShape[] {
  const lengths = new Set(factors.flatMap(digitsOf));
  const digits = [...lengths].sort((a, b) => a - b).map((length): CodeShape => ({ class: 'digits', length }));
  return factors.some(({ kind }) => kind === 'recovery')
    ? [...digits, { class: 'recovery', length: RECOVERY_CODE_LENGTH }]
    : digits;
}

function digitsOf(factor: StoredFactor): number[] {
  switch (factor.kind) {
    case 'totp':
    case 'hotp':
      return [factor.digits];
    case 'recovery':
      return [];
    case 'google-authenticator': {
      const { token, scratch } = factor.file;
      return [
        ...(token === undefined ? [] : [token.digits]),
        ...(scratch.codes.length === 0 ? [] : [SCRATCH_CODE_LENGTH]),
      ];
    }
  }
}

/**
 * The factors whose codes are accepted.
 *
 * @param factors - the factors
 * @returns those that are not paused
 */
export function activeOf(factors: readonly StoredFactor[]): StoredFactor[] {
  return factors.filter(({ paused }) => paused !== true);
}

/**
 * The limits of guesses that factors have of their own.
 *
 * @param factors - the factors
 * @returns the limits
 */
export function limitsOf(factors: readonly StoredFactor[]): AttemptLimit[] {
  return factors.flatMap((factor) => {
    switch (factor.kind) {
      case 'totp':
      case 'hotp':
        return factor.limit ?? [];
      case 'recovery':
        return [];
      case 'google-authenticator':
        return factor.file.rateLimit ?? [];
    }
  });
}

/**
 * An enrolment whose factors are kept in the store.
 *
 * @param user - canonical name
 * @param factors - its factors
 * @param factorsNow - reads the factors afresh; none when they are gone
 * @param context - what they are checked with
 * @returns the enrolment
 */
export function storeEnrolment(
  user: string,
  factors: readonly StoredFactor[],
  factorsNow: () => readonly StoredFactor[],
  context: StoreContext,
): Enrolment {
  const { ledger, resynchronisation } = context;
  return {
    shapes: shapesOf(factors),
    limits: limitsOf(factors),
    async verify(readings: readonly TypedCode[], now: number): Promise<Verification> {
      const known = {
        user,
        recoveryKey: context.recoveryKey(),
        markOf: (key: string) => ledger.mark(key)?.value,
        farAheadOf: (key: string) => resynchronisation.counterOf(key),
        now,
      };
      const decision = decide(known, factorsNow(), readings);
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
      if (spent !== undefined) {
        return { kind: 'rejected', reason: 'code-already-used', factor: spent };
      }
      decision.farAhead.forEach((farAhead) => resynchronisation.remember(farAhead));
      return { kind: 'rejected', reason: 'wrong-code' };
    },
  };
}
