import type { About } from '../../../contracts/control-requests.ts';
import type { Check } from '../check.ts';
import { RESTART, SERVICE, SOCKET } from '../places.ts';
import { running } from '../remedy.ts';

/** Checks that the daemon answers, and has the same version as the command. */
export function daemonCheck(version: string): Check {
  return {
    name: 'daemon',
    async examine(machine) {
      let about: About;
      try {
        about = await machine.ask<About>('about');
      } catch (error) {
        return [
          {
            what: error instanceof Error ? error.message : 'The daemon does not answer.',
            mend: running(['systemctl', 'restart', SOCKET, SERVICE]),
          },
        ];
      }
      return about.version === version
        ? []
        : [
            {
              what: `The running daemon is version ${about.version}, and this command is ${version}: restart the daemon.`,
              mend: running(RESTART),
            },
          ];
    },
  };
}
