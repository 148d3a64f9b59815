import type { EnrolmentSource } from './enrolment.ts';

/**
 * Asks several sources one after the other. Nothing but `absent` asks the next one, so that a source that fails opens nothing.
 *
 * @param sources - in the order of asking
 * @returns a source that answers for all of them
 */
export function sourcesInOrder(sources: readonly EnrolmentSource[]): EnrolmentSource {
  return {
    async lookUp(account) {
      for (const source of sources) {
        const lookup = await source.lookUp(account);
        if (lookup.kind !== 'absent') {
          return lookup;
        }
      }
      return { kind: 'absent' };
    },
  };
}
