import type { Check } from '../check.ts';

/** systemd-timesyncd makes it when the clock was set by a server (systemd-time-wait-sync waits for it, too). */
const SYNCHRONISED = '/run/systemd/timesync/synchronized';

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
    return [
      {
        what: 'The clock is not synchronised: codes of phones are wrong where it is more than a minute off.',
        mend: 'apt-get install -y systemd-timesyncd && systemctl enable --now systemd-timesyncd.service',
      },
    ];
  },
};
