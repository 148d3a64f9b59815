import type { Check } from '../check.ts';
import { healthOf } from '../machine.ts';
import { running } from '../remedy.ts';
import { RESTART } from '../places.ts';

/** Checks that used codes can be recorded. */
export const ledgerCheck: Check = {
  name: 'ledger',
  async examine(machine) {
    const health = await healthOf(machine);
    if (health?.ledgerFull === true) {
      return [
        {
          what:
            'The ledger of used codes is full: accounts with many marks get no new ones, ' +
            'so their new recovery codes and tokens are refused. The journal names such an account:',
          mend: 'journalctl -u pve-authenticator.service -g "ledger of used codes"',
        },
      ];
    }
    switch (health?.ledger) {
      case 'damaged':
        return [
          {
            what:
              'The ledger of used codes is damaged: recovery codes and codes of tokens are refused. ' +
              'To repair it (codes of tokens that were used before may work once more):',
            mend: 'pve-google-authenticator repair --yes',
          },
        ];
      case 'in-trouble':
        return [
          {
            what:
              'The ledger of used codes cannot be written, so recovery codes and codes of tokens are refused. ' +
              'The journal says why. The daemon recovers by itself when the disk works again.',
            mend: running(RESTART),
          },
        ];
      case 'sound':
      case undefined:
        return [];
    }
  },
};
