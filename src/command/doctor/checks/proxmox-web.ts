import { asksForCode } from '../../pam-d/modules.ts';
import { allSteps, authSteps, baseName } from '../../pam-d/stack.ts';
import { plainWebInterfaceFile } from '../../pam-d/web-interface.ts';
import type { Check, Finding } from '../check.ts';
import { pamReader } from '../guarded.ts';
import type { Machine } from '../machine.ts';
import { placeOf } from '../pam-edit.ts';
import { PAM } from '../places.ts';

/** The services of the web interfaces, and the program that shows that one is installed. */
export const WEB_SERVICES = [
  { service: 'proxmox-ve-auth', program: '/usr/bin/pveproxy' },
  { service: 'proxmox-backup-auth', program: '/usr/sbin/proxmox-backup-manager' },
] as const;
/** Asked for services that have no stack of their own. */
const OTHER = 'other';

/**
 * The login of a web interface must not meet a line for codes by accident: it has no file of its own in pam.d, so that whatever stands in
 * common-auth reaches it, and it answers every question with the password.
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
  // A line of its own is there on purpose.
  return allSteps(steps)
    .filter(({ file, entry }) => file !== service && asksForCode(entry))
    .map((step) => ({
      what: `${placeOf(step)}: ${baseName(step.entry.module)} also applies to the web interface (${service}). That answers every question with the password, so nobody with a code gets in.`,
      mend: { acts: [{ do: 'write', path: `${PAM}/${service}`, text: plainWebInterfaceFile() }] },
    }));
}
