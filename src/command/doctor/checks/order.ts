import { actionOf } from '../../pam-d/control.ts';
import { faultOf, restsOnOurLine } from '../../pam-d/faults.ts';
import { guardService, longestJump, MARK } from '../../pam-d/guard.ts';
import { asksForPassword, isCondition, valuesOf } from '../../pam-d/modules.ts';
import { allSteps, authSteps, baseName, parseStack, type Step } from '../../pam-d/stack.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, isOurs, pamReader } from '../guarded.ts';
import {
  before as beforeLine,
  byEditor,
  edit,
  inLine,
  instead,
  isJumpedOver,
  placeOf,
  without,
  YES,
  type LineEdit,
} from '../pam-edit.ts';
import type { Machine } from '../machine.ts';
import type { Remedy } from '../remedy.ts';

/** Modules whose success accepts a login without asking for anything. */
const ALWAYS_SUCCEEDS = 'pam_permit.so';
const DENIES = 'pam_deny.so';
/** With this argument the code comes first on purpose: password and code are one string. */
const ONE_STRING = 'forward_pass';

/** Checks that a right password leads to our line, never around it, and still lets people in after the line is removed. */
export const orderCheck: Check = {
  name: 'order',
  examine(machine) {
    const findings = new Map<string, Finding>();
    for (const { service, steps } of guardedServices(machine)) {
      const found = faultsOf(service, steps, machine);
      for (const finding of found.length > 0 ? found : otherFaults(machine, service, steps)) {
        findings.set(JSON.stringify(finding.mend), finding);
      }
    }
    return Promise.resolve([...findings.values()]);
  },
};

/** Faults in a stack or substack. */
function faultsOf(service: string, steps: readonly Step[], machine: Machine): readonly Finding[] {
  const at = steps.findIndex((step) => allSteps([step]).some(isOurs));
  const ours = steps[at];
  if (ours === undefined) {
    return [];
  }
  const before = steps.slice(0, at).filter(({ entry }) => !isCondition(entry));
  const ending = before.filter(endsStack);
  if (ending.length > 0) {
    return endBefore(service, steps, ending, at, machine);
  }
  const jumping = before.find((step) => steps.indexOf(step) + 1 + longestJump(step) > at);
  if (!isOurs(ours)) {
    return faultsOf(service, ours.inside, machine);
  }
  if (jumping !== undefined) {
    return moved(
      service,
      ours,
      `${placeOf(jumping)} jumps over ${placeOf(ours)} when ${subjectOf(jumping)}: no code is asked for, or nobody gets in`,
      machine,
    );
  }
  const isFirst = !before.some(asksForPassword) && steps.slice(at + 1).some(asksForPassword);
  return isFirst && !ours.entry.arguments.includes(ONE_STRING)
    ? moved(
        service,
        ours,
        `${placeOf(ours)}: the code is asked for before the password, so somebody without the password can guess codes`,
        machine,
      )
    : [];
}

function subjectOf(step: Step): string {
  return asksForPassword(step) ? 'the password is right' : `${baseName(step.entry.module)} succeeds`;
}

/** Whether some result of the module ends the stack with success; in a substack it ends only that. */
function endsStack({ entry }: Step): boolean {
  return valuesOf(entry).some((value) => actionOf(entry.control, value) === 'done');
}

function asRequired(step: Step): Step {
  return isOurs(step)
    ? { ...step, entry: { ...step.entry, control: 'required' } }
    : { ...step, inside: step.inside.map(asRequired) };
}

/** Faults that no command can fix. */
function otherFaults(machine: Machine, service: string, steps: readonly Step[]): readonly Finding[] {
  // Faults of our own line are found by the check "options".
  const fault = faultOf(steps.map(asRequired));
  switch (fault?.kind) {
    case 'around':
      return [
        {
          what: `${placeOf(fault.step)}: with "${fault.step.entry.control}" somebody can get in through ${service} without being asked for a code.`,
          mend: byEditor(fault.step.file),
        },
      ];
    case 'closed':
      return [
        {
          what: `Nobody can log in through ${service}: its lines refuse even a right password and code.`,
          mend: byEditor(service),
        },
      ];
    case 'code-alone':
      return [];
    case undefined:
      return withoutYes(machine, service, steps);
  }
}

/** Nobody could log in without our line, which is removed with the package. */
function withoutYes(machine: Machine, service: string, steps: readonly Step[]): readonly Finding[] {
  const ours = allSteps(steps).find(isOurs);
  if (ours === undefined || !restsOnOurLine(steps)) {
    return [];
  }
  return [
    {
      what:
        `${placeOf(ours)}: a right password jumps to this line, and no other line grants access. ` +
        `If the module is removed, nobody can log in through ${service}.`,
      mend: isJumpedOver(steps, ours)
        ? byEditor(ours.file)
        : edit(machine, ours.file, beforeLine(ours.entry.line, [YES])),
    },
  ];
}

/** A line ends the stack before ours is reached. */
function endBefore(
  service: string,
  steps: readonly Step[],
  ending: readonly Step[],
  at: number,
  machine: Machine,
): readonly Finding[] {
  const what = (step: Step): string =>
    `${placeOf(step)}: with "${step.entry.control}" the stack of ${service} ends there, and no code is asked for.`;
  const always = ending.filter(({ entry }) => baseName(entry.module) === ALWAYS_SUCCEEDS);
  const included = ending.filter((step) => step.own !== step.entry || steps[at]?.file !== step.file);
  // An edit moves lines, so the next one looks up its place again.
  const [first] = [...always, ...included];
  if (first === undefined) {
    return [{ what: ending.map(what).join(' '), mend: asJumps(machine, steps, ending, at) }];
  }
  const mend = always.includes(first)
    ? edit(machine, first.file, withoutEnd(steps, first))
    : asSubstack(service, first, machine);
  return [{ what: what(first), mend }];
}

/**
 * Changes a line that always succeeds, so that it no longer ends the stack. Removes it, unless others jump over it, or it is the
 * only one
 * besides ours that grants access.
 */
function withoutEnd(steps: readonly Step[], step: Step): LineEdit {
  return restsOnOurLine(steps.filter((other) => other !== step))
    ? inLine(step.entry, step.entry.control, 'required')
    : without(step.entry, isJumpedOver(steps, step));
}

/** As in Debian: success jumps over the denial, to a line that grants access even without ours. */
function asJumps(
  machine: Machine,
  steps: readonly Step[],
  ending: readonly Step[],
  at: number,
): Remedy | string {
  const ours = steps[at];
  const last = ending.at(-1);
  const denied = steps
    .slice(last === undefined ? at : steps.indexOf(last) + 1, at)
    .some(({ entry }) => baseName(entry.module) === DENIES);
  const jumps = ending.map((step) => {
    const count = at - steps.indexOf(step) - 1 + (denied ? 0 : 1);
    return inLine(step.entry, step.entry.control, `[success=${count} default=ignore]`);
  });
  const lines = [...(denied ? [] : [`auth requisite ${DENIES}`]), YES];
  return ours === undefined ||
    isJumpedOver(
      steps.filter((step) => !ending.includes(step)),
      ours,
    )
    ? byEditor(ours?.file ?? '')
    : edit(machine, ours.file, ...jumps, beforeLine(ours.own.line, lines));
}

/** Ending a substack does not end the stack around it. */
function asSubstack(service: string, { own }: Step, machine: Machine): Remedy | string {
  const included = own.module;
  if (own.type !== 'include') {
    return edit(machine, service, inLine(own, 'include', 'substack'));
  }
  const types = new Set(parseStack(pamReader(machine)(baseName(included)) ?? '').map(({ type }) => type));
  const lines = (['auth', 'account', 'password', 'session'] as const)
    .filter((type) => types.has(type))
    .map((type) => `${type} ${type === 'auth' ? 'substack' : 'include'} ${included}`);
  return edit(machine, service, instead(own, lines));
}

/** Moves our line to where "enable" would put it. */
function moved(service: string, ours: Step, why: string, machine: Machine): readonly Finding[] {
  const read = pamReader(machine);
  const text = read(ours.file) ?? '';
  const physical = text.split('\n');
  const own = physical.slice(ours.entry.line, ours.entry.line + ours.entry.lines);
  const bare = [...physical.slice(0, ours.entry.line), ...physical.slice(ours.entry.line + ours.entry.lines)];
  const guarded = guardService(ours.file, bare.join('\n'), { arguments: [] }, read);
  if (guarded.kind !== 'changed') {
    return [
      {
        what: `${why}. ${guarded.kind === 'refused' ? guarded.why : ''}`.trim(),
        mend: byEditor(ours.file),
      },
    ];
  }
  const place = guarded.text.split('\n').findIndex((line) => line.endsWith(MARK));
  // The line numbers are the current ones, including ours.
  const after = place <= ours.entry.line ? place : place + ours.entry.lines;
  const there = [...bare.slice(0, place), ...own, ...bare.slice(place)].join('\n');
  const rests = restsOnOurLine(authSteps(service, (name) => (name === ours.file ? there : read(name))));
  const lines = [...(rests ? [YES] : []), ...own];
  return [
    {
      what: `${why}.`,
      mend: edit(machine, ours.file, without(ours.entry), beforeLine(after, lines)),
    },
  ];
}
