import { actionOf } from './control.ts';
import { asksForPassword, isCondition, MODULE, valuesOf } from './modules.ts';
import { allSteps, baseName, type Step } from './stack.ts';
import { waysThrough, type Modules, type Way } from './walk.ts';

/** The faults of a stack that asks for a code. */
export type Fault =
  /** Somebody gets in without being asked: this step ends the stack, or jumps over our line. */
  | { readonly kind: 'around'; readonly step: Step }
  /** Nobody gets in, whatever they know. */
  | { readonly kind: 'closed' }
  /** A code alone lets people in, although before nothing worked without the right password. */
  | { readonly kind: 'code-alone' };

const isOurs = (step: Step): boolean => allSteps([step]).some(isOurLine);

/**
 * Examines every path that libpam can take through a stack.
 *
 * @param steps - the stack, with our line
 * @param before - the same without it, if that is known
 * @returns the first fault; undefined if everybody without an exemption is asked, and gets in with password and code
 */
export function faultOf(steps: readonly Step[], before?: readonly Step[]): Fault | undefined {
  const ways = waysThrough(steps, modules(valuesOfStep));
  const around = ways.find((way) => way.success && !way.marks.has('code') && !way.marks.has('exempt'));
  if (around?.turn !== undefined) {
    return { kind: 'around', step: around.turn };
  }
  if (!ways.some((way) => way.success && way.marks.has('code'))) {
    return { kind: 'closed' };
  }
  const aloneNow = letsInWithoutPassword(steps);
  return aloneNow && before !== undefined && !letsInWithoutPassword(before)
    ? { kind: 'code-alone' }
    : undefined;
}

/**
 * Whether nobody could log in if our line had no effect, as after a removal: a right password jumps to our line, and only our
 * line grants access.
 *
 * @param steps - a stack with our line
 * @returns whether a line that grants access, in front of ours, would let in the right password and nothing else
 */
export function restsOnOurLine(steps: readonly Step[]): boolean {
  const says = (control: string, values: readonly string[]): boolean =>
    waysThrough(
      steps.map((step) => withControl(step, control)),
      modules((step) => (isOurLine(step) ? values : valuesOfStep(step))),
    ).some((way) => way.success && !way.marks.has('exempt'));
  return (
    !says('[default=ignore]', ['success']) &&
    says('required', ['success']) &&
    !letsInWithoutPassword(steps.map((step) => withControl(step, 'required')))
  );
}

function withControl(step: Step, control: string): Step {
  return isOurLine(step)
    ? { ...step, entry: { ...step.entry, control } }
    : { ...step, inside: step.inside.map((inner) => withControl(inner, control)) };
}

function isOurLine({ entry }: Step): boolean {
  return baseName(entry.module) === MODULE;
}

/** Whether some path grants access although every password is wrong. */
function letsInWithoutPassword(steps: readonly Step[]): boolean {
  const wrong = modules((step) =>
    asksForPassword(step) ? valuesOfStep(step).filter((value) => value !== 'success') : valuesOfStep(step),
  );
  return waysThrough(steps, wrong).some((way: Way) => way.success && !way.marks.has('exempt'));
}

function valuesOfStep({ entry }: Step): readonly string[] {
  return valuesOf(entry);
}

function modules(values: Modules['values']): Modules {
  return {
    values,
    matters: isOurs,
    marks: (step, _value, over) => {
      if (isOurs(step)) {
        return 'code';
      }
      return over && isCondition(step.entry) ? 'exempt' : undefined;
    },
  };
}

/**
 * Why our line would not be effective in a stack.
 *
 * @param service - its name
 * @param steps - its stack, with our line
 * @param before - the same without it, if that is known
 * @returns what is wrong, and what to do; undefined if nothing is
 */
export function whyUnsafe(
  service: string,
  steps: readonly Step[],
  before?: readonly Step[],
): string | undefined {
  const fault = faultOf(steps, before);
  switch (fault?.kind) {
    case undefined:
      return undefined;
    case 'closed':
      return (
        `With a code, nobody could log in through ${service} any more: the lines of /etc/pam.d/${service} ` +
        'and of the files that it includes would always refuse. Fix these lines first.'
      );
    case 'code-alone':
      return (
        `With a code, somebody could log in through ${service} without the right password: no line of ` +
        `/etc/pam.d/${service} refuses a wrong one. Put this line below those that check passwords, as Debian does: auth requisite pam_deny.so`
      );
    case 'around':
      return whyAround(service, fault.step);
  }
}

function whyAround(service: string, step: Step): string {
  const { file, entry, own } = step;
  const place = `/etc/pam.d/${file}, line ${entry.line + 1}: with "${entry.control}"`;
  const never = 'a code would never be asked for.';
  if (jumps(step)) {
    return `${place} ${baseName(entry.module)} jumps over the line that asks for a code: ${never} Fix that line first.`;
  }
  if (file !== service) {
    const substack = `auth substack ${own.module}`;
    return (
      `${place} the stack of ${service} ends there, and ${never} ` +
      `Write "${substack}" into /etc/pam.d/${service} first, in place of the line that includes ${file} for auth.`
    );
  }
  return asksForPassword(step)
    ? `${place} a right password ends the stack, and ${never} First change it to "required".`
    : `${place} ${baseName(entry.module)} ends the stack, and ${never} Take that line out first, or write "required" in place of "${entry.control}".`;
}

function jumps({ entry }: Step): boolean {
  return valuesOf(entry).some((value) => typeof actionOf(entry.control, value) === 'number');
}
