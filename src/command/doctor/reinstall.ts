import type { Machine } from './machine.ts';

/** Debian's list of what the package brought: then it brings it again. */
const PACKAGE = '/var/lib/dpkg/info/pve-authenticator.list';

/**
 * The command that puts every file of the installation back into its place.
 *
 * @param machine - where
 * @returns the package's, or that of the checkout, in which it is to be run
 */
export function reinstall(machine: Pick<Machine, 'stat'>): string {
  return machine.stat(PACKAGE) === undefined
    ? 'make install'
    : 'apt-get install -y --reinstall pve-authenticator';
}
