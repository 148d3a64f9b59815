import { asksForCode } from '../../pam-d/modules.ts';
import { allSteps, authSteps, baseName } from '../../pam-d/stack.ts';
import { plainWebInterfaceFile } from '../../pam-d/web-interface.ts';
import type { Check, Finding } from '../check.ts';
import { pamReader } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { placeOf } from '../pam-edit.ts';
import { PAM } from '../places.ts';

/** The services of the web interfaces, each with a program that exists if it is installed. */
export const WEB_SERVICES = [
  { service: 'proxmox-ve-auth', program: '/usr/bin/pveproxy' },
  { service: 'proxmox-backup-auth', program: '/usr/sbin/proxmox-backup-manager' },
] as const;
/** Asked for services that have no stack of their own. */
const OTHER = 'other';

/**
 * Checks that no line for codes applies to a web interface's login by accident. That login answers every question with the
 * password. Without its own file in pam.d, it gets every line of common-auth.
 */
export const proxmoxWebCheck: Check = {
  name: 'proxmox-web',
  examine(machine) {
    return Promise.resolve(
      WEB_SERVICES.filter(({ program }) => machine.stat(program) !== undefined).flatMap(({ service }) =>
        examineService(machine, service),
      ),
    );
  },
};

function examineService(machine: Machine, service: string): Finding[] {
  const read = pamReader(machine);
  const steps = authSteps(read(service) === undefined ? OTHER : service, read);
  // A line in its own file is there on purpose.
  return allSteps(steps)
    .filter(({ file, entry }) => file !== service && asksForCode(entry))
    .map((step) => ({
      what: `${placeOf(step)}: ${baseName(step.entry.module)} also applies to the web interface (${service}). That answers every question with the password, so nobody with a code gets in.`,
      mend: { acts: [{ do: 'write', path: `${PAM}/${service}`, text: plainWebInterfaceFile() }] },
    }));
}
