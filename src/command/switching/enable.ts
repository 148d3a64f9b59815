import { asRoot } from './as-root.ts';
import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { examineAll, type Report } from '../doctor/check.ts';
import { checksForEnable, proxmoxChecks } from '../doctor/checks-for-enable.ts';
import type { Machine } from '../doctor/machine.ts';
import { lockExclusively } from '../../host/addon.ts';
import { markedLines } from '../pam-d/guard.ts';
import { arm, assertUndoAtBoot, disarm, undo } from './arm.ts';
import { makeOwnDirectory, replaceOwnFile, writeDurably } from './durable.ts';
import { whyLockedOut, withoutFactor } from './getting-in.ts';
import { begin, forget, readPending, type Pending } from './pending.ts';
import type { Places } from './places.ts';
import { makePlan, type Plan, type Planned, type Wanted } from './plan.ts';
import { prepareProxmox } from './proxmox.ts';
import { SwitchError } from './switch-error.ts';

/** What `enable` needs to know. */
export interface EnableRequest extends Wanted {
  /** How long it waits to be confirmed, in seconds. */
  readonly seconds: number;
  /** Users who must still be able to log in afterwards. */
  readonly users: readonly string[];
  /** The login in which it runs. */
  readonly login: string;
  /** Version of the command. */
  readonly version: string;
  /** Names of checks that are left out. */
  readonly ignore: readonly string[];
}

/** Paths of files that were written because there is Proxmox. */
type Prepared = readonly string[];

/** The result. */
export type Enabled =
  | {
      readonly kind: 'waits';
      readonly plan: Plan;
      readonly pending: Pending;
      readonly refused: readonly string[];
      readonly prepared: Prepared;
    }
  /** Nothing had to be changed. */
  | { readonly kind: 'nothing-to-do'; readonly plan: Plan; readonly pending: Pending | undefined }
  /** Something has to be fixed first. */
  | { readonly kind: 'unhealthy'; readonly reports: readonly Report[]; readonly prepared: Prepared };

/**
 * Switches services on. Before the first file changes, the old files are saved durably, and systemd is ready to restore them.
 *
 * @param places - where
 * @param machine - programs, files and the daemon
 * @param request - what
 * @returns how it went
 * @throws SwitchError when it cannot be done, or would lock somebody out; then no service is changed, and the message names files
 * for Proxmox that are left
 */
export async function enable(places: Places, machine: Machine, request: EnableRequest): Promise<Enabled> {
  await assertUndoAtBoot(machine);
  makeOwnDirectory(places.state);
  const unlock = lock(places);
  try {
    const pending = readPending(places);
    const plan = makePlan(places, request);
    if (plan.changes.length === 0) {
      return { kind: 'nothing-to-do', plan, pending };
    }
    if (pending !== undefined) {
      const service = pending.services.join(' ');
      throw new SwitchError(
        `Not confirmed yet: ${pending.services.join(', ')}. First run ${asRoot('pve-google-authenticator confirm')} from a new login, or ${asRoot(`pve-google-authenticator disable ${service}`)}`,
      );
    }
    const services = plan.changes.map(({ service }) => service);
    const checks = checksForEnable(services, request.version);
    const reports = await examineAll(
      checks.filter(({ name }) => !request.ignore.includes(name)),
      machine,
    );
    if (reports.length > 0) {
      return { kind: 'unhealthy', reports, prepared: [] };
    }
    await assertNobodyLockedOut(machine, plan, request);
    const refused = request.nullok ? [] : await withoutFactor(machine);
    // The permanent record is written last.
    const prepared = await prepareProxmox(places, machine, services);
    const ofProxmox = await examineAll(proxmoxChecks(services), machine);
    if (ofProxmox.length > 0) {
      return { kind: 'unhealthy', reports: ofProxmox, prepared };
    }
    const begun = await change(places, machine, plan.changes, request, unlock).catch((error: unknown) => {
      throw withLeft(error, prepared);
    });
    return { kind: 'waits', plan, pending: begun, refused, prepared };
  } finally {
    unlock();
  }
}

/**
 * Locks out other commands that change pam.d.
 *
 * @param places - where
 * @returns releases the lock, at the first call
 * @throws SwitchError when another one is at work
 */
export function lock({ state }: Places): () => void {
  const fd = openSync(`${state}/lock`, 'a', 0o600);
  if (!lockExclusively(fd)) {
    closeSync(fd);
    throw new SwitchError('Another command changes /etc/pam.d at this moment. Wait for it, then try again.');
  }
  let held = true;
  return () => {
    if (held) {
      held = false;
      closeSync(fd);
    }
  };
}

async function assertNobodyLockedOut(
  machine: Machine,
  { changes }: Plan,
  { users, nullok }: EnableRequest,
): Promise<void> {
  for (const user of new Set(users)) {
    const why = await whyLockedOut(machine, user, changes, nullok);
    if (why !== undefined) {
      throw new SwitchError(why);
    }
  }
}

async function change(
  places: Places,
  machine: Machine,
  changes: readonly Planned[],
  { seconds, login }: EnableRequest,
  unlock: () => void,
): Promise<Pending> {
  keepOriginals(places, changes);
  const begun = begin(
    places,
    changes.map(({ service, file, after }) => ({ service, before: file.text, after })),
    seconds,
    login,
  );
  try {
    await arm(machine, places, begun.id);
    for (const { service, file, after } of changes) {
      replaceOwnFile(file, after);
      writeDurably(`${places.state}/written/${service}`, after);
    }
  } catch (error) {
    // The undo waits for the lock.
    unlock();
    const said = await takeBack(places, machine);
    throw said === undefined || !(error instanceof SwitchError)
      ? error
      : new SwitchError(
          `${error.message}\nNot every file could be restored yet; systemd keeps trying. ${said}`,
        );
  }
  return begun;
}

/** The undo removes most files that were written for Proxmox; the message names the rest. */
function withLeft(error: unknown, prepared: Prepared): unknown {
  const left = prepared.filter((path) => existsSync(path));
  return left.length === 0 || !(error instanceof SwitchError)
    ? error
    : new SwitchError(`${error.message}\nWritten for Proxmox, and still there: ${left.join(', ')}`);
}

/** The original file of a service, for `disable`. */
function keepOriginals({ state }: Places, changes: readonly Planned[]): void {
  makeOwnDirectory(`${state}/original`);
  makeOwnDirectory(`${state}/written`);
  for (const { service, file } of changes) {
    if (markedLines(file.text).length === 0) {
      writeDurably(`${state}/original/${service}`, file.text);
      rmSync(`${state}/written/${service}`, { force: true });
    }
  }
}

/** Undoes a half-made change. If that fails here, systemd keeps trying. Returns the output of the undo. */
async function takeBack(places: Places, machine: Machine): Promise<string | undefined> {
  const { status, stderr } = await undo(machine, '--now');
  if (readPending(places) === undefined) {
    await disarm(machine);
  }
  return status === 0 ? undefined : stderr.trim();
}

/**
 * Confirms the waiting change, so that it stays.
 *
 * @param places - where
 * @param machine - stops the timer
 * @returns whether it was still there to be confirmed
 */
export async function keep(places: Places, machine: Machine): Promise<boolean> {
  const unlock = lock(places);
  try {
    if (readPending(places) === undefined) {
      return false;
    }
    forget(places);
  } finally {
    unlock();
  }
  await disarm(machine);
  return true;
}
