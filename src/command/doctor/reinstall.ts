import type { Machine } from './machine.ts';

/** Debian's list of the package's files. If it exists, reinstalling the package restores them. */
const PACKAGE = '/var/lib/dpkg/info/pve-authenticator.list';

/**
 * The command that restores every file of the installation.
 *
 * @param machine - where
 * @returns the package manager's command, or the one to run in the checkout
 */
export function reinstall(machine: Pick<Machine, 'stat'>): string {
  return machine.stat(PACKAGE) === undefined
    ? 'make install'
    : 'apt-get install -y --reinstall pve-authenticator';
}
