import { asRoot } from './as-root.ts';
import { existsSync, readdirSync } from 'node:fs';
import { guardService, LARGEST_SERVICE_FILE, markedLines, type GuardOptions } from '../pam-d/guard.ts';
import { MODULE } from '../pam-d/modules.ts';
import { CONSOLE, DOORS, isServiceName, whyNotGuarded } from '../pam-d/services.ts';
import { allSteps, authSteps, baseName, filesOf, type ReadService } from '../pam-d/stack.ts';
import { readOwnFile, type OwnFile } from './durable.ts';
import type { Places } from './places.ts';
import { SwitchError } from './switch-error.ts';

/** What the administrator asked for. */
export interface Wanted {
  /** Services by name; none with `all`. */
  readonly services: readonly string[];
  /** All services that people log in through. */
  readonly all: boolean;
  /** With `all`: also root at the console. */
  readonly allDoors: boolean;
  /** Users without a factor log in as before. */
  readonly nullok: boolean;
}

/** One file that will be written. */
export interface Planned {
  readonly service: string;
  readonly file: OwnFile;
  readonly after: string;
  /** Root gets in without a code. */
  readonly rootExempt: boolean;
}

/** The result of a plan. */
export interface Plan {
  readonly changes: readonly Planned[];
  /** Services that need no change. */
  readonly unchanged: readonly string[];
  /** Services of `all` that stay as they are, and why. */
  readonly left: readonly { readonly service: string; readonly why: string }[];
}

/**
 * Reads files of pam.d.
 *
 * @param places - where
 * @returns reads one; undefined: there is none
 */
export function readerOf({ pam, vendor }: Places): ReadService {
  return (name) =>
    isServiceName(name)
      ? (
          readOwnFile(`${pam}/${name}`, LARGEST_SERVICE_FILE) ??
          readOwnFile(`${vendor}/${name}`, LARGEST_SERVICE_FILE)
        )?.text
      : undefined;
}

/**
 * Computes the changes. Writes nothing.
 *
 * @param places - where
 * @param wanted - what was asked for
 * @returns the files
 * @throws SwitchError when a service that was named cannot be guarded; it says why
 */
export function makePlan(places: Places, wanted: Wanted): Plan {
  const changes: Planned[] = [];
  const unchanged: string[] = [];
  const left: { service: string; why: string }[] = [];
  const onDisk = readerOf(places);
  /** The service file after the change. */
  const read: ReadService = (name) => changes.find(({ service }) => service === name)?.after ?? onDisk(name);

  for (const service of inOrder(namesOf(places, wanted), whereReadable(onDisk))) {
    try {
      const planned = planFor(places, service, optionsFor(service, wanted), read);
      if (planned === 'unchanged') {
        unchanged.push(service);
      } else {
        changes.push(planned);
      }
    } catch (error) {
      if (!wanted.all || !(error instanceof SwitchError)) {
        throw error;
      }
      left.push({ service, why: error.message });
    }
  }
  return { changes, unchanged, left };
}

/** @throws SwitchError when the service cannot be guarded */
function planFor(
  places: Places,
  service: string,
  options: GuardOptions,
  read: ReadService,
): Planned | 'unchanged' {
  const file = readOwnFile(`${places.pam}/${service}`, LARGEST_SERVICE_FILE);
  if (file === undefined) {
    throw new SwitchError(whyMissing(places, service));
  }
  const guarded = guardService(service, file.text, options, read);
  switch (guarded.kind) {
    case 'refused':
      throw new SwitchError(guarded.why);
    case 'unchanged':
    case 'covered':
      return 'unchanged';
    case 'changed': {
      const why = whyNotChange(places, service, file, whereReadable(read));
      if (why !== undefined) {
        throw new SwitchError(why);
      }
      return { service, file, after: guarded.text, rootExempt: options.exemptRoot === true };
    }
  }
}

/** Reads other services, which are not changed; unreadable ones are ignored. */
function whereReadable(read: ReadService): ReadService {
  return (name) => {
    try {
      return read(name);
    } catch {
      return undefined;
    }
  };
}

function namesOf({ pam }: Places, { services, all }: Wanted): readonly string[] {
  if (all) {
    return DOORS.filter((door) => existsSync(`${pam}/${door}`));
  }
  for (const service of services) {
    const why = whyNotGuarded(service);
    if (why !== undefined) {
      throw new SwitchError(why);
    }
  }
  return [...new Set(services)];
}

/** Included services come before those that include them, so that the latter count as covered. */
function inOrder(services: readonly string[], read: ReadService): readonly string[] {
  const includes = (service: string): number =>
    [...filesOf(service, read)].filter((file) => services.includes(file)).length;
  return services
    .map((service) => ({ service, order: includes(service) }))
    .sort((one, other) => one.order - other.order)
    .map(({ service }) => service);
}

function optionsFor(service: string, { all, allDoors, nullok }: Wanted): GuardOptions {
  return {
    arguments: nullok ? ['nullok'] : [],
    exemptRoot: all && !allDoors && service === CONSOLE,
  };
}

function whyMissing({ pam, vendor }: Places, service: string): string {
  return existsSync(`${vendor}/${service}`)
    ? `There is no ${pam}/${service}, only ${vendor}/${service}, which belongs to a package. Copy it first: ${asRoot(`cp ${vendor}/${service} ${pam}/${service}`)}`
    : `There is no ${pam}/${service}: no such service. These are there: ${readdirSync(pam).filter(isServiceName).sort().join(' ')}`;
}

/** A file that we wrote may be rewritten, unless somebody edited it since. */
function whyNotChange(
  { state }: Places,
  service: string,
  { path, text }: OwnFile,
  read: ReadService,
): string | undefined {
  if (markedLines(text).length > 0) {
    const written = readOwnFile(`${state}/written/${service}`, LARGEST_SERVICE_FILE)?.text;
    if (written !== text) {
      return (
        `${path} was edited since this command wrote it, so it is left as it is. ` +
        `To have it written anew: ${asRoot(`pve-google-authenticator disable ${service}`)}, then enable it again`
      );
    }
  }
  const includer = DOORS.find(
    (door) => door !== service && filesOf(door, read).has(service) && hasOwnLine(door, read),
  );
  return includer === undefined
    ? undefined
    : `${includer} includes ${service} and has a line of its own: it would ask twice. First: ${asRoot(`pve-google-authenticator disable ${includer}`)}`;
}

function hasOwnLine(service: string, read: ReadService): boolean {
  return allSteps(authSteps(service, read)).some(
    ({ entry, file }) => file === service && baseName(entry.module) === MODULE,
  );
}
