import { guardLines, markedLines } from '../../pam-d/guard.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, ourLines, pamReader } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { edit, inLine, placeOf, type PamLine } from '../pam-edit.ts';
import { peopleOf } from '../people.ts';

/**
 * `nullok` is for the time until everybody has a factor. While somebody has none, the check `factors` names them: to take it out then
 * would lock them out.
 */
export const nullokCheck: Check = {
  name: 'nullok',
  async examine(machine) {
    const lines = ourLines(guardedServices(machine)).filter(({ step }) =>
      step.entry.arguments.includes('nullok'),
    );
    if (lines.length === 0) {
      return [];
    }
    const people = await peopleOf(machine);
    return people === undefined ||
      people.some(({ enrolled }) => enrolled !== 'store' && enrolled !== 'elsewhere')
      ? []
      : lines.map(({ step }) => leftOn(machine, step));
  },
};

function leftOn(machine: Machine, line: PamLine): Finding {
  return {
    what: `${placeOf(line)}: "nullok" is left on, though everybody has a factor. An account without one, also a new one, gets in without a code.`,
    mend: wasWritten(machine, line.file)
      ? `pve-google-authenticator enable --no-wait ${line.file}`
      : edit(line.file, inLine(line.entry, ' nullok\\b', '')),
  };
}

/** Whether "enable" wrote the line, and can write it again without the word. */
function wasWritten(machine: Machine, file: string): boolean {
  const marked = markedLines(pamReader(machine)(file) ?? '').join('\n');
  return marked === guardLines({ arguments: ['nullok'] }).join('\n');
}
