import type { Check } from '../check.ts';
import type { Machine } from '../machine.ts';
import { UNITS } from '../places.ts';

/** systemd-timesyncd makes this file when a server has set the clock; systemd-time-wait-sync waits for it, too. */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

/** Services that can keep the clock; a machine has at most one. */
const KEEPERS = [
  ...['chrony.service', 'ntpsec.service', 'ntp.service', 'openntpd.service', 'systemd-timesyncd.service'],
];
const UNIT_PATHS = [UNITS, '/usr/lib/systemd/system'];
/** Clock devices of virtual machines, which follow the clock of the host. */
const CLOCK_SOURCE = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
const HOST_CLOCKS: ReadonlySet<string> = new Set([
  ...['kvm-clock', 'hyperv_clocksource_tsc_page', 'hyperv_clocksource_msr', 'xen'],
]);

/** Time-based codes need the right time: checks that this machine or its host keeps the clock synchronised. */
export const clockCheck: Check = {
  name: 'clock',
  async examine(machine) {
    if ((await isSynchronised(machine)) || (await isKeptByHost(machine))) {
      return [];
    }
    const keeper = KEEPERS.find((name) =>
      UNIT_PATHS.some((path) => machine.stat(`${path}/${name}`) !== undefined),
    );
    return [
      {
        what:
          'The clock is not synchronised. If it is off by more than a minute, codes of phones are refused. ' +
          'If you keep the clock right without a time server, say --ignore=clock.',
        mend:
          keeper === undefined
            ? 'apt-get install -y systemd-timesyncd && systemctl enable --now systemd-timesyncd.service'
            : {
                acts: [
                  {
                    do: 'run',
                    argv: ['systemctl', 'enable', keeper],
                    touches: [UNITS],
                    undo: ['systemctl', 'daemon-reload'],
                  },
                ],
                then: [['systemctl', 'restart', keeper]],
              },
      },
    ];
  },
};

/** Chrony, ntpsec, phc2sys and others tell the kernel, which timedatectl reads. If that fails, this asks them directly. */
async function isSynchronised(machine: Machine): Promise<boolean> {
  if (machine.stat(SYNCHRONISED) !== undefined) {
    return true;
  }
  const asked = [
    [/^yes$/, 'timedatectl', 'show', '--property=NTPSynchronized', '--value'],
    [/^Leap status\s*:\s*(Normal|Insert|Delete)/m, 'chronyc', '-n', 'tracking'],
    [/leap_none|leap=0?[012]\b/, 'ntpq', '-c', 'rv 0 leap'],
  ] as const;
  for (const [says, program, ...argv] of asked) {
    const { status, stdout } = await machine.run(program, ...argv);
    if (status === 0 && says.test(stdout.trim())) {
      return true;
    }
  }
  return false;
}

/** A container has the host's clock and may not set it. */
async function isKeptByHost(machine: Machine): Promise<boolean> {
  const { status } = await machine.run('systemd-detect-virt', '--container', '--quiet');
  if (status === 0) {
    return true;
  }
  return HOST_CLOCKS.has(machine.read(CLOCK_SOURCE)?.toString('latin1').trim() ?? '');
}
