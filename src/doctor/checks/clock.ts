import type { Check } from '../check.ts';

/** systemd-timesyncd makes it when the clock was set by a server (systemd-time-wait-sync waits for it, too). */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

/** Who may keep the clock; there is one at most on a machine. */
const KEEPERS = ['chrony.service', 'ntpsec.service', 'openntpd.service', 'systemd-timesyncd.service'];
const UNIT_PATHS = ['/etc/systemd/system', '/usr/lib/systemd/system'];

/** Codes that change with the time need the right one: the kernel knows whether somebody keeps it. */
export const clockCheck: Check = {
  name: 'clock',
  async examine(machine) {
    if (machine.stat(SYNCHRONISED) !== undefined) {
      return [];
    }
    const { status, stdout } = await machine.run(
      'timedatectl',
      'show',
      '--property=NTPSynchronized',
      '--value',
    );
    if (status === 0 && stdout.trim() === 'yes') {
      return [];
    }
    const keeper = KEEPERS.find((name) =>
      UNIT_PATHS.some((path) => machine.stat(`${path}/${name}`) !== undefined),
    );
    return [
      {
        what: 'The clock is not synchronised: codes of phones are wrong where it is more than a minute off.',
        mend:
          keeper === undefined
            ? 'apt-get install -y systemd-timesyncd && systemctl enable --now systemd-timesyncd.service'
            : `systemctl enable ${keeper} && systemctl restart ${keeper}`,
      },
    ];
  },
};
