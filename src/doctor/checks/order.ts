import { actionOf } from '../../pam-d/control.ts';
import { faultOf, restsOnOurLine } from '../../pam-d/faults.ts';
import { guardService, longestJump, MARK } from '../../pam-d/guard.ts';
import { asksForPassword, isCondition, valuesOf } from '../../pam-d/modules.ts';
import { allSteps, authSteps, baseName, parseStack, type ReadService, type Step } from '../../pam-d/stack.ts';
import type { Check, Finding } from '../check.ts';
import { guardedServices, isOurs, pamReader } from '../guarded.ts';
import { edit, inLine, isJumpedOver, placeOf, without, YES } from '../pam-edit.ts';
import { PAM } from '../places.ts';
import { sedPattern, sedText } from '../shell.ts';

/** Its success lets somebody in without having asked for anything. */
const ALWAYS_SUCCEEDS = 'pam_permit.so';
const DENIES = 'pam_deny.so';
/** Who says this wants the code first: password and code come in one string. */
const ONE_STRING = 'forward_pass';

/** Whoever gives the right password comes to our line, does not come around it, and gets in when it is gone. */
export const orderCheck: Check = {
  name: 'order',
  examine(machine) {
    const read = pamReader(machine);
    const findings = new Map<string, Finding>();
    for (const { service, steps } of guardedServices(machine)) {
      const found = faultsOf(service, steps, read);
      for (const finding of found.length > 0 ? found : otherFaults(service, steps)) {
        findings.set(finding.mend, finding);
      }
    }
    return Promise.resolve([...findings.values()]);
  },
};

/** In a stack, or a substack. */
function faultsOf(service: string, steps: readonly Step[], read: ReadService): readonly Finding[] {
  const at = steps.findIndex((step) => allSteps([step]).some(isOurs));
  const ours = steps[at];
  if (ours === undefined) {
    return [];
  }
  const before = steps.slice(0, at).filter(({ entry }) => !isCondition(entry));
  const ending = before.filter(endsStack);
  if (ending.length > 0) {
    return endBefore(service, steps, ending, at, read);
  }
  const jumping = before.find((step) => steps.indexOf(step) + 1 + longestJump(step) > at);
  if (!isOurs(ours)) {
    return faultsOf(service, ours.inside, read);
  }
  if (jumping !== undefined) {
    return moved(
      service,
      ours,
      `${placeOf(jumping)} jumps over ${placeOf(ours)} when ${subjectOf(jumping)}: no code is asked for, or nobody gets in`,
      read,
    );
  }
  const isFirst = !before.some(asksForPassword) && steps.slice(at + 1).some(asksForPassword);
  return isFirst && !ours.entry.arguments.includes(ONE_STRING)
    ? moved(
        service,
        ours,
        `${placeOf(ours)}: the code is asked for before the password, so who does not know the password can try codes`,
        read,
      )
    : [];
}

function subjectOf(step: Step): string {
  return asksForPassword(step) ? 'the password is right' : `${baseName(step.entry.module)} succeeds`;
}

/** Whether something that the module may return ends the stack with success; a substack keeps that to itself. */
function endsStack({ entry }: Step): boolean {
  return valuesOf(entry).some((value) => actionOf(entry.control, value) === 'done');
}

function asRequired(step: Step): Step {
  return isOurs(step)
    ? { ...step, entry: { ...step.entry, control: 'required' } }
    : { ...step, inside: step.inside.map(asRequired) };
}

/** What no command mends by itself. */
function otherFaults(service: string, steps: readonly Step[]): readonly Finding[] {
  // What our own line says wrongly, the check "options" finds.
  const fault = faultOf(steps.map(asRequired));
  const mend = (file: string): string => `\${EDITOR:-vi} ${PAM}/${file}`;
  switch (fault?.kind) {
    case 'around':
      return [
        {
          what: `${placeOf(fault.step)}: with "${fault.step.entry.control}" somebody can get in through ${service} without being asked for a code.`,
          mend: mend(fault.step.file),
        },
      ];
    case 'closed':
      return [
        {
          what: `Nobody gets in through ${service}, whatever they know: no way through its lines succeeds.`,
          mend: mend(service),
        },
      ];
    case 'code-alone':
      return [];
    case undefined:
      return withoutYes(service, steps);
  }
}

/** Nobody would get in if our line were gone: it goes with the package. */
function withoutYes(service: string, steps: readonly Step[]): readonly Finding[] {
  const ours = allSteps(steps).find(isOurs);
  if (ours === undefined || !restsOnOurLine(steps)) {
    return [];
  }
  return [
    {
      what:
        `${placeOf(ours)}: a right password jumps to this line, and no other one says yes. ` +
        `Without the module, as after a removal, nobody would get in through ${service}.`,
      mend: isJumpedOver(steps, ours)
        ? `\${EDITOR:-vi} ${PAM}/${ours.file}`
        : edit(ours.file, `${ours.entry.line + 1}i\\${YES}`),
    },
  ];
}

/** A line ends the stack before ours is reached. */
function endBefore(
  service: string,
  steps: readonly Step[],
  ending: readonly Step[],
  at: number,
  read: ReadService,
): readonly Finding[] {
  const what = (step: Step): string =>
    `${placeOf(step)}: with "${step.entry.control}" the stack of ${service} ends there, and no code is asked for.`;
  const always = ending.filter(({ entry }) => baseName(entry.module) === ALWAYS_SUCCEEDS);
  const included = ending.filter((step) => step.own !== step.entry || steps[at]?.file !== step.file);
  // Lines move by an edit: what the next one finds there is looked up anew.
  const [first] = [...always, ...included];
  if (first === undefined) {
    return [{ what: ending.map(what).join(' '), mend: asJumps(steps, ending, at) }];
  }
  const mend = always.includes(first)
    ? edit(first.file, withoutEnd(steps, first))
    : asSubstack(service, first, read);
  return [{ what: what(first), mend }];
}

/** A line that always succeeds ends the stack no more. It goes, unless others jump over it or it alone says yes besides ours. */
function withoutEnd(steps: readonly Step[], step: Step): string {
  return restsOnOurLine(steps.filter((other) => other !== step))
    ? inLine(step.entry, sedPattern(step.entry.control), 'required')
    : without(step.entry, isJumpedOver(steps, step));
}

/** As Debian writes it: success jumps over the denial, to a line that says yes also when ours is gone. */
function asJumps(steps: readonly Step[], ending: readonly Step[], at: number): string {
  const ours = steps[at];
  const last = ending.at(-1);
  const denied = steps
    .slice(last === undefined ? at : steps.indexOf(last) + 1, at)
    .some(({ entry }) => baseName(entry.module) === DENIES);
  const jumps = ending.map((step) => {
    const count = at - steps.indexOf(step) - 1 + (denied ? 0 : 1);
    return inLine(step.entry, sedPattern(step.entry.control), `[success=${count} default=ignore]`);
  });
  const lines = [...(denied ? [] : [`auth requisite ${DENIES}`]), YES];
  return ours === undefined ||
    isJumpedOver(
      steps.filter((step) => !ending.includes(step)),
      ours,
    )
    ? `\${EDITOR:-vi} ${PAM}/${ours?.file ?? ''}`
    : edit(ours.file, ...jumps, `${ours.own.line + 1}i\\${lines.join('\\n')}`);
}

/** What ends a substack does not end what is around it. */
function asSubstack(service: string, { own }: Step, read: ReadService): string {
  const included = own.module;
  if (own.type !== 'include') {
    return edit(service, inLine(own, 'include', 'substack'));
  }
  const types = new Set(parseStack(read(baseName(included)) ?? '').map(({ type }) => type));
  const lines = (['auth', 'account', 'password', 'session'] as const)
    .filter((type) => types.has(type))
    .map((type) => `${type} ${type === 'auth' ? 'substack' : 'include'} ${included}`);
  return edit(service, `${own.line + 1}c\\${lines.map(sedText).join('\\n')}`);
}

/** Our line, where "enable" would put it. */
function moved(service: string, ours: Step, why: string, read: ReadService): readonly Finding[] {
  const text = read(ours.file) ?? '';
  const physical = text.split('\n');
  const own = physical.slice(ours.entry.line, ours.entry.line + ours.entry.lines);
  const bare = [...physical.slice(0, ours.entry.line), ...physical.slice(ours.entry.line + ours.entry.lines)];
  const guarded = guardService(ours.file, bare.join('\n'), { arguments: [] }, read);
  if (guarded.kind !== 'changed') {
    return [
      {
        what: `${why}. ${guarded.kind === 'refused' ? guarded.why : ''}`.trim(),
        mend: `\${EDITOR:-vi} ${PAM}/${ours.file}`,
      },
    ];
  }
  const place = guarded.text.split('\n').findIndex((line) => line.endsWith(MARK));
  // Lines are numbered as they are now, with ours.
  const after = place <= ours.entry.line ? place : place + ours.entry.lines;
  const there = [...bare.slice(0, place), ...own, ...bare.slice(place)].join('\n');
  const rests = restsOnOurLine(authSteps(service, (name) => (name === ours.file ? there : read(name))));
  const line = [...(rests ? [YES] : []), ...own.map((part) => part.replaceAll('\\', '\\\\'))].join('\\n');
  return [
    {
      what: `${why}.`,
      mend: edit(ours.file, without(ours.entry), after === 0 ? `1i\\${line}` : `${after}a\\${line}`),
    },
  ];
}
