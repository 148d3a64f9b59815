import { longestJump } from '../../pam-d/guard.ts';
import { asksForCode } from '../../pam-d/modules.ts';
import { allSteps, baseName, type Step } from '../../pam-d/stack.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, isOurs, type GuardedService } from '../guarded.ts';
import { edit, placeOf, without } from '../pam-edit.ts';

/** Nobody is asked for two codes in one login. */
export const twiceCheck: Check = {
  name: 'twice',
  examine(machine) {
    const findings = new Map<string, Finding>();
    for (const service of guardedServices(machine)) {
      for (const step of superfluous(service)) {
        findings.set(`${step.file}:${step.entry.line}`, findingOf(service, step));
      }
    }
    return Promise.resolve([...findings.values()]);
  },
};

/** Of ours all but one: the one that most services have, or the first. */
function superfluous({ service, steps, ours }: GuardedService): readonly Step[] {
  const shared = ours.find(({ file }) => file !== service) ?? ours[0];
  return allSteps(steps).filter((step) => (isOurs(step) ? step !== shared : asksForCode(step.entry)));
}

function findingOf({ service, steps, ours }: GuardedService, step: Step): Finding {
  const [first = step] = ours.filter((other) => other !== step);
  return {
    what: `${service} asks for a code twice: ${placeOf(first)}, and ${placeOf(step)} (${baseName(step.entry.module)}).`,
    mend: edit(step.file, without(step.entry, isJumpedOver(steps, step))),
  };
}

function isJumpedOver(steps: readonly Step[], step: Step): boolean {
  const level = levelOf(steps, step);
  const at = level.indexOf(step);
  return level.some((other, index) => index < at && index + longestJump(other) >= at);
}

/** The stack, or substack, in which a step is. */
function levelOf(steps: readonly Step[], step: Step): readonly Step[] {
  return steps.includes(step)
    ? steps
    : (steps.map(({ inside }) => levelOf(inside, step)).find((level) => level.length > 0) ?? []);
}
