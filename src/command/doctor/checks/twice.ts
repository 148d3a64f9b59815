import { asksForCode } from '../../pam-d/modules.ts';
import { allSteps, baseName, type Step } from '../../pam-d/stack.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, isOurs, servicesWith, type GuardedService } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { aside, byEditor, edit, isJumpedOver, placeOf, without } from '../pam-edit.ts';

/** Checks that no login asks for two codes. */
export const twiceCheck: Check = {
  name: 'twice',
  examine(machine) {
    const findings = new Map<string, Finding>();
    for (const service of guardedServices(machine)) {
      for (const step of superfluous(service)) {
        findings.set(`${step.file}:${step.entry.line}`, findingOf(machine, service, step));
      }
    }
    return Promise.resolve([...findings.values()]);
  },
};

/** All of our lines but one: the one that most services have, or the first. */
function superfluous({ service, steps, ours }: GuardedService): readonly Step[] {
  const shared = ours.find(({ file }) => file !== service) ?? ours[0];
  return allSteps(steps).filter((step) => (isOurs(step) ? step !== shared : asksForCode(step.entry)));
}

function findingOf(machine: Machine, { service, steps, ours }: GuardedService, step: Step): Finding {
  const [first = step] = ours.filter((other) => other !== step);
  const module = baseName(step.entry.module);
  const what = `${service} asks for a code twice: ${placeOf(first)}, and ${placeOf(step)} (${module}).`;
  if (isOurs(step)) {
    return { what, mend: edit(machine, step.file, without(step.entry, isJumpedOver(steps, step))) };
  }
  const alone = servicesWith(machine, step).filter((other) => !other.steps.some(asksOurs));
  const [one] = alone;
  if (one === undefined) {
    return { what, mend: edit(machine, step.file, aside(step.entry)) };
  }
  const names = alone.map((other) => other.service);
  return {
    what:
      `${what} ${names.join(', ')} ${names.length === 1 ? 'asks' : 'ask'} for that code only, so removing the line would switch the code off there. ` +
      `First: pve-google-authenticator enable ${names.join(' ')}`,
    mend: byEditor(step.file),
  };
}

function asksOurs(step: Step): boolean {
  return allSteps([step]).some(isOurs);
}
