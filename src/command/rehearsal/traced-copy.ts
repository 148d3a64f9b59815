import { baseName, filesOf, parseStack, type Entry, type ReadService } from '../pam-d/stack.ts';

/** A line of a stack that ran. */
export interface TracedStep {
  /** The file of pam.d, and the number of the line in it, from 1. */
  readonly file: string;
  readonly line: number;
  /** As it is named there. */
  readonly module: string;
  readonly control: string;
}

/** A copy of a service's stacks in which each module reports its result. */
export interface TracedCopy {
  /** Contents by file name. */
  readonly files: ReadonlyMap<string, string>;
  /** The steps, by the number that a module reports. */
  readonly steps: readonly TracedStep[];
}

/** The paths for a copy. */
export interface CopyPlaces {
  /** The directory that the copy will be in. */
  readonly directory: string;
  /** pam_rehearse.so. */
  readonly wrapper: string;
  /** Where PAM finds modules that are named without a path. */
  readonly modules: string;
}

/** Asked for services that have no stack of their own. */
const OTHER = 'other';

/**
 * Copies a service's stacks line for line, with the same controls. Sessions and password changes are not rehearsed, and so left
 * out.
 *
 * @param service - its name
 * @param read - reads a file of pam.d
 * @param places - where things are
 * @returns the copy
 */
export function tracedCopy(service: string, read: ReadService, places: CopyPlaces): TracedCopy {
  const steps: TracedStep[] = [];
  const names = new Set([...filesOf(service, read), ...filesOf(OTHER, read)]);
  const files = [...names].flatMap((file): [string, string][] => {
    const text = read(file);
    return text === undefined
      ? []
      : [
          [
            file,
            parseStack(text)
              .flatMap((entry) => lineOf(entry, file, places, steps))
              .join(''),
          ],
        ];
  });
  return { files: new Map(files), steps };
}

function lineOf(entry: Entry, file: string, places: CopyPlaces, steps: TracedStep[]): readonly string[] {
  const { type, control, module, mayBeMissing } = entry;
  if (type === 'include') {
    return [`@include ${places.directory}/${baseName(module)}\n`];
  }
  if (type !== 'auth' && type !== 'account') {
    return [];
  }
  if (control === 'include' || control === 'substack') {
    return [`${type} ${control} ${places.directory}/${baseName(module)}\n`];
  }
  const path = module.startsWith('/') ? module : `${places.modules}/${module}`;
  steps.push({ file, line: entry.line + 1, module: baseName(module), control });
  const words = [places.wrapper, steps.length - 1, path, ...entry.arguments].join(' ');
  return [`${mayBeMissing ? '-' : ''}${type} ${control} ${words}\n`];
}

/** The result of a step. */
export interface StepResult {
  readonly step: TracedStep;
  /** A return value of PAM, as a number. */
  readonly rc: number;
}

const PAM_SUCCESS = 0;
const PAM_NEW_AUTHTOK_REQD = 12;
const PAM_IGNORE = 25;
const DENIES = 'pam_deny.so';

/**
 * The step that caused a refusal: the first module whose failure the stack does not ignore. pam_deny only repeats the failure of
 * an earlier module.
 *
 * @param results - the results, in their order
 * @returns the step; undefined: none failed
 */
export function refusedAt(results: readonly StepResult[]): StepResult | undefined {
  const failures = results.filter(({ rc }) => ![PAM_SUCCESS, PAM_NEW_AUTHTOK_REQD, PAM_IGNORE].includes(rc));
  const final = failures.find(({ step }) => isFinal(step.control)) ?? failures.at(-1);
  if (final?.step.module !== DENIES) {
    return final;
  }
  const before = failures
    .slice(0, failures.indexOf(final))
    .findLast(({ step }) => step.file === final.step.file);
  return before ?? final;
}

/** Whether a failure with this control makes the whole stack fail. */
function isFinal(control: string): boolean {
  return control === 'required' || control === 'requisite' || /=(bad|die)\b/.test(control);
}
