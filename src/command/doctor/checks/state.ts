import type { Check, Finding } from '../check.ts';
import { healthOf, type Machine } from '../machine.ts';
import { running } from '../remedy.ts';
import { OWNER, RESTART, SERVICE, STATE } from '../places.ts';

/** The least free space: the next journal has 1 MiB, and a new snapshot needs room, too. */
const LEAST_FREE_BYTES = 8 * 1024 * 1024;
const LEAST_FREE_FILES = 16;
/** Directories that `apt-get clean` and `journalctl --vacuum-size` empty. */
const EXPENDABLE = ['/var/cache/apt/archives', '/var/log/journal'];
const INIT =
  `setpriv --reuid=${OWNER} --regid=${OWNER} --clear-groups ` +
  'node /usr/lib/pve-authenticator/dist/daemon/main.js --init-state';

/** Checks that the store exists, and that its disk can be written. */
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
          `There is no store in ${STATE}, so nobody with a factor gets in. Restore it from a backup (docs/guides/backup.md). ` +
          'If you have no backup, make an empty store, in which nobody has a factor:',
        mend: `systemctl stop ${SERVICE} && ${INIT}`,
      }
    : {
        what: `There is no store in ${STATE}, so nobody with a factor gets in: ${place} of /etc/fstab is not mounted.`,
        mend: running(['mount', place], RESTART),
      };
}

async function mountedReadOnly(machine: Machine): Promise<readonly Finding[]> {
  const { stdout } = await machine.run('findmnt', '-no', 'TARGET,OPTIONS', '--target', STATE);
  const [target = '', options = ''] = stdout.trim().split(/\s+/);
  return options.split(',').includes('ro')
    ? [
        {
          what: `The state directory is on ${target}, which is mounted read-only: recovery codes and codes of tokens are refused.`,
          mend: running(['mount', '-o', 'remount,rw', target]),
        },
      ]
    : [];
}

async function full(machine: Machine): Promise<readonly Finding[]> {
  const argv = ['--output=avail,itotal,iavail,target', '--block-size=1', STATE];
  const { status, stdout } = await machine.run('df', ...argv);
  const [bytes, files, free, target = STATE] = (stdout.trim().split('\n')[1] ?? '').trim().split(/\s+/);
  const noRoom = Number(bytes) < LEAST_FREE_BYTES;
  const noFiles = Number(files) > 0 && Number(free) < LEAST_FREE_FILES;
  if (status !== 0 || (!noRoom && !noFiles)) {
    return [];
  }
  const left = noRoom ? `${Math.floor(Number(bytes) / 1024)} KiB` : `room for ${Number(free)} files`;
  const what = `The disk of ${STATE} (${target}) is full (${left} left): recovery codes and codes of tokens may be refused.`;
  return [
    (await sameDisk(machine))
      ? { what: `${what} To free some space safely:`, mend: 'apt-get clean; journalctl --vacuum-size=50M' }
      : {
          what: `${what} To list what takes most of it (keep the daemon's enrolments and ledger, and the files beside them):`,
          mend: `du -xa ${noRoom ? '' : '--inodes '}${target} | sort -rn | head -n 20`,
        },
  ];
}

/** Whether files of packages and journal could be deleted on the same file system. */
async function sameDisk(machine: Machine): Promise<boolean> {
  const { stdout } = await machine.run('stat', '--format=%d', STATE, ...EXPENDABLE);
  const [own, ...others] = stdout.trim().split('\n');
  return others.includes(own ?? '');
}
