import type { Check } from '../check.ts';
import type { Remedy } from '../remedy.ts';
import { RESTART } from '../places.ts';

const NO_NAMES = new Set(['', '(none)', 'localhost', 'localhost.localdomain', 'localhost.local']);

/** Checks that the machine has its own name, because authenticator apps show it with the code. */
export const hostnameCheck: Check = {
  name: 'hostname',
  examine(machine) {
    const read = (path: string): string => machine.read(path)?.toString('utf8').trim() ?? '';
    const name = read('/proc/sys/kernel/hostname');
    if (!NO_NAMES.has(name)) {
      return Promise.resolve([]);
    }
    const own = read('/etc/hostname');
    const better = NO_NAMES.has(own) ? `host-${read('/etc/machine-id').slice(0, 8)}` : own;
    return Promise.resolve([
      {
        what: `The machine is called "${name}", and every phone would show that name. Choose another one with hostnamectl; --fix sets ${better}.`,
        mend: renamed(name, better),
      },
    ]);
  },
};

function renamed(name: string, better: string): Remedy {
  return {
    acts: [
      {
        do: 'run',
        argv: ['hostnamectl', 'set-hostname', better],
        touches: ['/etc/hostname', '/etc/machine-info'],
        ...(name === '' || name === '(none)' ? {} : { undo: ['hostname', name] }),
      },
    ],
    then: [RESTART],
  };
}
