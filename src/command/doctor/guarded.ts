import { MODULE } from '../pam-d/modules.ts';
import { isServiceName } from '../pam-d/services.ts';
import { allSteps, authSteps, baseName, filesOf, type ReadService, type Step } from '../pam-d/stack.ts';
import type { Machine } from './machine.ts';
import { PAM, VENDOR_PAM } from './places.ts';

/** A service of PAM that asks for a code. */
export interface GuardedService {
  readonly service: string;
  /** The steps that it runs, including those of included files. */
  readonly steps: readonly Step[];
  /** Our lines among them: one, if all is well. */
  readonly ours: readonly Step[];
  /** The files that it is made of. */
  readonly files: readonly string[];
}

/**
 * Reads files of pam.d from the places where PAM looks.
 *
 * @param machine - where
 * @returns reads one by its name
 */
export function pamReader(machine: Pick<Machine, 'read'>): ReadService {
  return (name) =>
    isServiceName(name)
      ? (machine.read(`${PAM}/${name}`) ?? machine.read(`${VENDOR_PAM}/${name}`))?.toString('latin1')
      : undefined;
}

/**
 * The services that ask for a code.
 *
 * @param machine - where
 * @returns them, in the order of their names; files that others only include (`common-auth`) do not count
 */
export function guardedServices(machine: Pick<Machine, 'list' | 'read'>): readonly GuardedService[] {
  const read = pamReader(machine);
  return serviceNames(machine).flatMap((service) => {
    const steps = authSteps(service, read);
    const ours = allSteps(steps).filter(isOurs);
    return ours.length === 0 ? [] : [{ service, steps, ours, files: [...filesOf(service, read)] }];
  });
}

/**
 * The services that run a line, even if it is in an included file.
 *
 * @param machine - where
 * @param line - the line, as a step of any service
 * @returns their names and stacks
 */
export function servicesWith(
  machine: Pick<Machine, 'list' | 'read'>,
  line: Step,
): readonly Pick<GuardedService, 'service' | 'steps'>[] {
  const read = pamReader(machine);
  return serviceNames(machine)
    .map((service) => ({ service, steps: authSteps(service, read) }))
    .filter(({ steps }) =>
      allSteps(steps).some(({ file, entry }) => file === line.file && entry.line === line.entry.line),
    );
}

/** Whether a file is only included by others, and so is not a service. */
function serviceNames(machine: Pick<Machine, 'list'>): readonly string[] {
  return [...new Set([...machine.list(PAM), ...machine.list(VENDOR_PAM)])]
    .filter((name) => isServiceName(name) && !name.startsWith('common-'))
    .sort();
}

/**
 * Whether a step runs our module.
 *
 * @param step - of a stack
 * @returns whether it does; of a substack, without its contents
 */
export function isOurs({ entry }: Step): boolean {
  return baseName(entry.module) === MODULE;
}

/**
 * Our lines in services, each once, although the lines of an included file are in many stacks.
 *
 * @param services - the services
 * @returns our lines, and in which services each is
 */
export function ourLines(
  services: readonly GuardedService[],
): readonly { readonly step: Step; readonly services: readonly string[] }[] {
  const lines = new Map<string, { step: Step; services: string[] }>();
  for (const { service, ours } of services) {
    for (const step of ours) {
      const key = `${step.file}:${step.entry.line}`;
      const known = lines.get(key) ?? { step, services: [] };
      known.services.push(service);
      lines.set(key, known);
    }
  }
  return [...lines.values()];
}
