import { parseModuleOptions } from '../../../config/module-options.ts';
import { MODULE } from '../../pam-d/modules.ts';
import type { Step } from '../../pam-d/stack.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, ourLines } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { edit, inLine, placeOf } from '../pam-edit.ts';

/** Controls with which a wrong code refuses a login, and a right code alone does not accept it. */
const STRICT = /^(required|requisite|\[.*\bdefault=(bad|die)\b.*\])$/;
const LETS_IN_ALONE = /^sufficient$|\b(success|default)=done\b/;

/** Checks that our lines have valid options, and that PAM acts on the module's result. */
export const optionsCheck: Check = {
  name: 'options',
  examine(machine) {
    return Promise.resolve(
      ourLines(guardedServices(machine)).flatMap(({ step }) => [
        ...badArgument(machine, step),
        ...control(machine, step),
        ...path(machine, step),
      ]),
    );
  },
};

function badArgument(machine: Machine, step: Step): readonly Finding[] {
  const words = bracketed(step.entry.arguments);
  const parsed = parseModuleOptions(words.map((word) => Buffer.from(word, 'latin1')));
  return parsed.kind === 'options'
    ? []
    : [
        {
          what: `${placeOf(step)}: the module does not know ${JSON.stringify(parsed.argument)}, and lets nobody in. To remove that word:`,
          mend: edit(
            machine,
            step.file,
            inLine(step.entry, new RegExp(` *\\[?${literal(parsed.argument)}\\]?`), ''),
          ),
        },
      ];
}

/** pam.conf(5): an argument in brackets may contain blanks. */
function bracketed(words: readonly string[]): readonly string[] {
  const text = words.join(' ');
  return [...text.matchAll(/\[((?:[^\]\\]|\\.)*)\]|(\S+)/g)].map(
    ([, inside, word]) => inside?.replace(/\\(.)/g, '$1') ?? word ?? '',
  );
}

function control(machine: Machine, step: Step): readonly Finding[] {
  const { control: said, mayBeMissing } = step.entry;
  const asRequired = edit(machine, step.file, inLine(step.entry, said, 'required'));
  if (LETS_IN_ALONE.test(said)) {
    const what = `${placeOf(step)}: with "${said}" a code alone lets people in.`;
    return [{ what, mend: asRequired }];
  }
  if (!STRICT.test(said)) {
    const what = `${placeOf(step)}: with "${said}" a wrong code does not keep people out, or PAM does not understand it.`;
    return [{ what, mend: asRequired }];
  }
  return mayBeMissing
    ? [
        {
          what: `${placeOf(step)}: with the leading dash, nobody is asked for a code if the module is missing.`,
          mend: edit(machine, step.file, inLine(step.entry, /^(?<= *)-|(?<=^ +)-/, '')),
        },
      ]
    : [];
}

function path(machine: Machine, step: Step): readonly Finding[] {
  const { module } = step.entry;
  return !module.startsWith('/') || machine.stat(module) !== undefined
    ? []
    : [
        {
          what: `${placeOf(step)}: there is no ${module}, so nobody gets in there.`,
          mend: edit(machine, step.file, inLine(step.entry, module, MODULE)),
        },
      ];
}

/** Escapes a text for a regular expression. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
