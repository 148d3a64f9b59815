import { guardLines, markedLines } from '../../pam-d/guard.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, ourLines, pamReader } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { edit, inLine, placeOf, type PamLine } from '../pam-edit.ts';
import { PAM, SETTINGS } from '../places.ts';
import type { Remedy } from '../remedy.ts';
import { peopleOf } from '../people.ts';

/**
 * `nullok` is for the time until everybody has a factor. This check reports it only after that, because removing it earlier would
 * lock people out. Until then, the check `factors` names them.
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
    what: `${placeOf(line)}: "nullok" is still set, although everybody has a factor. A new account without a factor gets in without a code.`,
    mend: withoutWord(machine, line),
  };
}

/** If "enable" wrote the line, its record of the line changes, too; otherwise the line would count as edited. */
function withoutWord(machine: Machine, { file, entry }: PamLine): Remedy | string {
  const mend = edit(machine, file, inLine(entry, / nullok\b/, ''));
  const written = `${SETTINGS}/switch/written/${file}`;
  const isOurs =
    wasWritten(machine, file) &&
    machine.read(written)?.equals(machine.read(`${PAM}/${file}`) ?? Buffer.alloc(0));
  return typeof mend === 'string' || isOurs !== true
    ? mend
    : {
        acts: [
          ...mend.acts,
          ...mend.acts.map((act) => (act.do === 'write' ? { ...act, path: written } : act)),
        ],
      };
}

/** Whether "enable" wrote the line, and can write it again without the word. */
function wasWritten(machine: Machine, file: string): boolean {
  const marked = markedLines(pamReader(machine)(file) ?? '').join('\n');
  return marked === guardLines({ arguments: ['nullok'] }).join('\n');
}
