import { withAnswer } from './at-hand.ts';
import type { Account, AccountLookup, Enrolment, EnrolmentSource } from './enrolment.ts';

/**
 * Asks several sources one after the other. Only `absent` leads to the next source, so a failing source lets nobody in.
 * Exception: a user who has only recovery codes in one source keeps them beside the factors of the next one.
 *
 * @param sources - in the order of asking
 * @returns a source that answers for all of them
 */
export function sourcesInOrder(sources: readonly EnrolmentSource[]): EnrolmentSource {
  const from = (
    index: number,
    account: Account,
    spare: Enrolment | undefined,
  ): AccountLookup | Promise<AccountLookup> => {
    const source = sources[index];
    if (source === undefined) {
      return spare === undefined ? { kind: 'absent' } : enrolled(spare);
    }
    return withAnswer(source.lookUp(account), (lookup): AccountLookup | Promise<AccountLookup> => {
      if (spare !== undefined && lookup.kind !== 'absent') {
        return lookup.kind === 'enrolled' ? beside(lookup.enrolment, spare) : enrolled(spare);
      }
      if (lookup.kind === 'enrolled' && lookup.enrolment.onlyRecovery === true) {
        return from(index + 1, account, lookup.enrolment);
      }
      return lookup.kind === 'absent' ? from(index + 1, account, spare) : lookup;
    });
  };
  const nobodyFrom = (index: number): void | Promise<void> => {
    const source = sources[index];
    return source === undefined
      ? undefined
      : withAnswer(source.lookUpNobody?.(), () => nobodyFrom(index + 1));
  };
  return { lookUp: (account) => from(0, account, undefined), lookUpNobody: () => nobodyFrom(0) };
}

function enrolled(enrolment: Enrolment): AccountLookup {
  return { kind: 'enrolled', enrolment };
}

/** Each answer concerns only one of the two, because only recovery codes have their shape. */
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
