import type { Machine } from './machine.ts';

/** Every Linux-PAM has it. */
const ALWAYS_THERE = 'pam_unix.so';

/**
 * The directory in which PAM finds its modules: Debian has one for each architecture.
 *
 * @param machine - where
 * @returns its path
 */
export function moduleDirectory(machine: Pick<Machine, 'list' | 'stat'>): string {
  const places = [
    ...machine.list('/usr/lib').map((name) => `/usr/lib/${name}/security`),
    ...machine.list('/lib').map((name) => `/lib/${name}/security`),
    '/usr/lib64/security',
    '/usr/lib/security',
  ];
  return (
    places.find((place) => machine.stat(`${place}/${ALWAYS_THERE}`) !== undefined) ?? '/usr/lib/security'
  );
}
