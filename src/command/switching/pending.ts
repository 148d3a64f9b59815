import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { machineClock } from '../../host/clocks.ts';
import { isServiceName } from '../pam-d/services.ts';
import { makeOwnDirectory, syncDirectory, writeDurably } from './durable.ts';
import type { Places } from './places.ts';

/** A change of one service file. */
export interface FileChange {
  readonly service: string;
  /** Latin-1. */
  readonly before: string;
  readonly after: string;
}

/** A change that waits to be confirmed. */
export interface Pending {
  readonly services: readonly string[];
  /** When it was begun: milliseconds of {@link machineClock}. */
  readonly begun: number;
  /** When it is undone: seconds since boot, whole. */
  readonly due: number;
  /** The login that made it; see who.ts. */
  readonly login: string;
}

/**
 * Seconds since boot, the time that was slept through too. Nobody sets this clock.
 *
 * @returns the seconds, to the hundredth
 */
export function uptime(): number {
  return Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
}

/**
 * Durably saves the files that are restored if nobody confirms. From now on, scripts/pve-authenticator-undo restores them, at
 * boot at the latest.
 *
 * @param places - where
 * @param changes - the files
 * @param seconds - how long it waits
 * @param login - from which login
 * @returns what waits, and its id
 * @throws SwitchError when it cannot be written
 */
export function begin(
  { state, run }: Places,
  changes: readonly FileChange[],
  seconds: number,
  login: string,
): Pending & { readonly id: string } {
  const made = `${state}/pending.new`;
  rmSync(made, { recursive: true, force: true });
  rmSync(`${state}/report`, { force: true });
  rmSync(`${state}/undone`, { recursive: true, force: true });
  rmSync(`${state}/confirmed`, { recursive: true, force: true });
  for (const directory of [state, made, `${made}/before`, `${made}/after`]) {
    makeOwnDirectory(directory);
  }
  const begun = machineClock();
  // A shell counts whole seconds, so this is rounded up.
  const [since, due] = [Math.floor(uptime()), Math.ceil(uptime() + seconds)];
  const id = randomBytes(16).toString('hex');
  const services = changes.map(({ service }) => service);
  for (const { service, before, after } of changes) {
    writeDurably(`${made}/before/${service}`, before);
    writeDurably(`${made}/after/${service}`, after);
  }
  writeDurably(`${made}/services`, services.map((service) => `${service}\n`).join(''));
  writeDurably(`${made}/login`, `${login}\n`);
  writeDurably(`${made}/begun`, `${begun}\n`);
  writeDurably(`${made}/since`, `${since}\n`);
  writeDurably(`${made}/due`, `${due}\n`);
  writeDurably(`${made}/id`, `${id}\n`);
  // The next boot removes this file, which tells the undo that there was a boot.
  rmSync(run, { recursive: true, force: true });
  mkdirSync(run, { mode: 0o700 });
  writeDurably(`${run}/id`, `${id}\n`);
  renameSync(made, `${state}/pending`);
  syncDirectory(state);
  return { services, begun, due, login, id };
}

/**
 * What waits to be confirmed.
 *
 * @param places - where
 * @returns it; undefined: nothing
 */
export function readPending({ state }: Places): Pending | undefined {
  if (!existsSync(`${state}/pending`)) {
    return undefined;
  }
  const text = (name: string): string => {
    try {
      return readFileSync(`${state}/pending/${name}`, 'latin1').trimEnd();
    } catch {
      return '';
    }
  };
  return {
    services: text('services').split('\n').filter(isServiceName),
    begun: Number(text('begun') || NaN),
    due: Number(text('due') || NaN),
    login: text('login'),
  };
}

/**
 * Whether the last change was confirmed.
 *
 * @param places - where
 * @returns whether; false also while it waits
 */
export function wasConfirmed({ state }: Places): boolean {
  return existsSync(`${state}/confirmed`);
}

/**
 * Confirms the change: nothing is restored any more.
 *
 * @param places - where
 */
export function forget({ state, run }: Places): void {
  rmSync(`${state}/confirmed`, { recursive: true, force: true });
  renameSync(`${state}/pending`, `${state}/confirmed`);
  syncDirectory(state);
  rmSync(run, { recursive: true, force: true });
}
