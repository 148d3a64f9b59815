import type { Check, Finding } from '../check.ts';
import { healthOf, type Machine } from '../machine.ts';
import { OWNER, RESTART, SERVICE, STATE } from '../places.ts';

/** Less room than this, and the next journal may not fit (it has 1 MiB), nor a new snapshot. */
const LEAST_FREE_BYTES = 8 * 1024 * 1024;
const LEAST_FREE_FILES = 16;
const INIT =
  `setpriv --reuid=${OWNER} --regid=${OWNER} --clear-groups ` +
  'node /usr/lib/pve-authenticator/dist/daemon/main.js --init-state';

/** The store is there, and the disk takes what the daemon writes. */
export const stateCheck: Check = {
  name: 'state',
  async examine(machine) {
    const health = await healthOf(machine);
    const readOnly = await mountedReadOnly(machine);
    const missing = health?.store === false ? [storeMissing(machine)] : [];
    return [...missing, ...readOnly, ...(readOnly.length > 0 ? [] : await full(machine))];
  },
};

function storeMissing(machine: Machine): Finding {
  const table = machine.read('/etc/fstab')?.toString('utf8') ?? '';
  const place = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(
      ([device = '#', where]) => !device.startsWith('#') && (where === STATE || where === '/var/lib'),
    )?.[1];
  return place === undefined
    ? {
        what:
          `There is no store in ${STATE}, so nobody with a factor gets in. Put it back from a backup (docs/operations.md); ` +
          'if it is lost for good, a new one, in which nobody has a factor:',
        mend: `systemctl stop ${SERVICE} && ${INIT}`,
      }
    : {
        what: `There is no store in ${STATE}, so nobody with a factor gets in: ${place} of /etc/fstab is not mounted.`,
        mend: `mount ${place} && ${RESTART}`,
      };
}

async function mountedReadOnly(machine: Machine): Promise<readonly Finding[]> {
  const { stdout } = await machine.run('findmnt', '-no', 'TARGET,OPTIONS', '--target', STATE);
  const [target = '', options = ''] = stdout.trim().split(/\s+/);
  return options.split(',').includes('ro')
    ? [
        {
          what: `${target}, on which the state directory is, is mounted read-only: recovery codes and counted ones are refused.`,
          mend: `mount -o remount,rw ${target}`,
        },
      ]
    : [];
}

async function full(machine: Machine): Promise<readonly Finding[]> {
  const { status, stdout } = await machine.run('df', '--output=avail,itotal,iavail', '--block-size=1', STATE);
  const [bytes = NaN, files = NaN, free = NaN] = (stdout.trim().split('\n')[1] ?? '')
    .trim()
    .split(/\s+/)
    .map(Number);
  const isFull = bytes < LEAST_FREE_BYTES || (files > 0 && free < LEAST_FREE_FILES);
  return status === 0 && isFull
    ? [
        {
          what: `The disk of ${STATE} is full: recovery codes and counted ones may be refused. What can go without harm:`,
          mend: 'apt-get clean; journalctl --vacuum-size=50M',
        },
      ]
    : [];
}
