import type { Check } from '../check.ts';
import { SETTINGS } from '../places.ts';

const PENDING = `${SETTINGS}/switch/pending`;

/** Checks that no change waits to be confirmed. */
export const unconfirmedCheck: Check = {
  name: 'unconfirmed',
  examine(machine) {
    if (machine.stat(PENDING) === undefined) {
      return Promise.resolve([]);
    }
    const services = machine.read(`${PENDING}/services`)?.toString('utf8').trim().split('\n') ?? [];
    return Promise.resolve([
      {
        what:
          `${services.join(', ') || 'A service'} was switched on, and nobody confirmed it yet: it will be undone. ` +
          'To keep it, log in again and run "pve-google-authenticator confirm" there. To undo it now:',
        mend: 'pve-authenticator-undo --now',
      },
    ]);
  },
};
