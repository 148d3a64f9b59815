import type { AccountLookup, Enrolment, EnrolmentSource } from './enrolment.ts';

/**
 * Asks several sources one after the other. Nothing but `absent` asks the next one, so that a source that fails opens nothing; but whoever
 * has only recovery codes in one source has them beside the factors of the next.
 *
 * @param sources - in the order of asking
 * @returns a source that answers for all of them
 */
export function sourcesInOrder(sources: readonly EnrolmentSource[]): EnrolmentSource {
  return {
    async lookUp(account) {
      let spare: Enrolment | undefined;
      for (const source of sources) {
        const lookup = await source.lookUp(account);
        if (spare !== undefined && lookup.kind !== 'absent') {
          return lookup.kind === 'enrolled' ? beside(lookup.enrolment, spare) : enrolled(spare);
        }
        if (lookup.kind === 'enrolled' && lookup.enrolment.onlyRecovery === true) {
          spare = lookup.enrolment;
        } else if (lookup.kind !== 'absent') {
          return lookup;
        }
      }
      return spare === undefined ? { kind: 'absent' } : enrolled(spare);
    },
    async lookUpNobody() {
      for (const source of sources) {
        await source.lookUpNobody?.();
      }
    },
  };
}

function enrolled(enrolment: Enrolment): AccountLookup {
  return { kind: 'enrolled', enrolment };
}

/** Whatever the answer is, one of the two is asked: a recovery code has a shape that no other factor has. */
function beside(main: Enrolment, spare: Enrolment): AccountLookup {
  return enrolled({
    ...main,
    shapes: [...main.shapes, ...spare.shapes],
    verify: (readings, now, more) =>
      readings.some(({ shape }) => shape.class === 'recovery')
        ? spare.verify(readings, now, more)
        : main.verify(readings, now, more),
  });
}
