import type { Check, Finding } from '../check.ts';
import { homeCounts } from '../configuration.ts';
import type { Machine } from '../machine.ts';
import { READER, READER_SOCKET, REOPEN, SERVICE, SOCKET, UNITS } from '../places.ts';
import { running } from '../remedy.ts';
import { reinstall } from '../reinstall.ts';

const USER_SOCKET = 'pve-authenticator-user.socket';
const CONTROL_SOCKET = 'pve-authenticator-control.socket';
const HEALTH = 'pve-authenticator-health.timer';
const UNDO = 'pve-authenticator-undo.service';
const PROPERTIES = '--property=Id,LoadState,ActiveState,UnitFileState';
/** The consequence if these units do not start at the next boot. */
const ENABLED: ReadonlyMap<string, string> = new Map([
  [SOCKET, 'after the next boot, logins with a code fail'],
  [UNDO, 'after a reboot, a change that nobody confirmed would stay'],
]);

interface Unit {
  readonly id: string;
  readonly load: string;
  readonly active: string;
  readonly file: string;
}

/** Checks that systemd opens the sockets, now and at the next boot, and can start their services. */
export const unitsCheck: Check = {
  name: 'units',
  async examine(machine) {
    if (machine.stat('/run/systemd/system') === undefined) {
      return [];
    }
    const reading = homeCounts(machine) ? [READER_SOCKET, READER] : [];
    const undo = machine.stat('/usr/sbin/pve-authenticator-undo') === undefined ? [] : [UNDO];
    const names = [SOCKET, USER_SOCKET, CONTROL_SOCKET, HEALTH, ...reading, SERVICE, ...undo];
    const { status, stdout } = await machine.run('systemctl', 'show', PROPERTIES, ...names);
    const units = status === 0 ? unitsOf(stdout) : [];
    const usable = units.filter(({ load }) => load === 'loaded');
    return [
      ...units.flatMap((unit) => unusable(machine, unit)),
      ...closed(usable),
      ...usable.flatMap(atBoot),
    ];
  },
};

function unitsOf(shown: string): readonly Unit[] {
  return shown
    .split('\n\n')
    .filter((paragraph) => paragraph.includes('Id='))
    .map((paragraph) => {
      const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(paragraph)?.[1] ?? '';
      return {
        id: value('Id'),
        load: value('LoadState'),
        active: value('ActiveState'),
        file: value('UnitFileState'),
      };
    });
}

function unusable(machine: Machine, { id, load }: Unit): readonly Finding[] {
  switch (load) {
    case 'masked':
      return [
        {
          what: `${id} is masked: systemd must not start it, so logins with a code fail.`,
          mend: {
            acts: [
              {
                do: 'run',
                argv: ['systemctl', 'unmask', id],
                touches: [UNITS],
                undo: ['systemctl', 'daemon-reload'],
              },
            ],
            then: [REOPEN],
          },
        },
      ];
    case 'not-found':
      return [{ what: `There is no unit ${id}: the installation is incomplete.`, mend: reinstall(machine) }];
    default:
      return [];
  }
}

/** One command opens them all. */
function closed(units: readonly Unit[]): readonly Finding[] {
  const names = units
    .filter(
      ({ id, active }) =>
        (/\.(socket|timer)$/.test(id) && active !== 'active' && active !== 'activating') ||
        active === 'failed',
    )
    .map(({ id, active }) => `${id} (${active})`);
  return names.length === 0
    ? []
    : [{ what: `Not running: ${names.join(', ')}. Logins with a code may fail.`, mend: running(REOPEN) }];
}

function atBoot({ id, file }: Unit): readonly Finding[] {
  const why = ENABLED.get(id);
  return why === undefined || file === 'enabled'
    ? []
    : [
        {
          what: `${id} is ${file}: ${why}.`,
          mend: {
            acts: [
              {
                do: 'run',
                argv: ['systemctl', 'enable', id],
                touches: [UNITS],
                undo: ['systemctl', 'daemon-reload'],
              },
            ],
          },
        },
      ];
}
