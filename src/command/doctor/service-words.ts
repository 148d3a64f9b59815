import type { RuleTest, UserView } from '../../contracts/control-requests.ts';
import { faultOf } from '../pam-d/faults.ts';
import { asksForCode } from '../pam-d/modules.ts';
import { DOORS } from '../pam-d/services.ts';
import { allSteps, authSteps, baseName, type Step } from '../pam-d/stack.ts';
import { WEB_SERVICES } from './checks/proxmox-web.ts';
import { guardedServices, isOurs, pamReader } from './guarded.ts';
import type { Machine } from './machine.ts';
import { placeOf } from './pam-edit.ts';
import { sshdWords } from './sshd-words.ts';

/** What a service does when somebody logs in. */
export interface ServiceWords {
  /** Its name; for sshd, also the way of logging in. */
  readonly service: string;
  readonly says: string;
  /** Whether its stack has our line. */
  readonly asks: boolean;
}

/** Whose logins. */
export interface Whose {
  readonly user: string;
  readonly uid: number;
  readonly enrolled: UserView['enrolled'];
}

/**
 * What the services of a machine do at a login of somebody: according to their stacks and sshd, not to what somebody intended.
 *
 * @param machine - the machine; unreadable parts are reported, not guessed
 * @param whose - whose logins
 * @returns a line for each service through which people log in, or that has our line
 */
export async function serviceWords(machine: Machine, whose: Whose): Promise<readonly ServiceWords[]> {
  const read = pamReader(machine);
  const guarded = guardedServices(machine).map(({ service }) => service);
  const doors = DOORS.filter((service) => read(service) !== undefined);
  const webs = WEB_SERVICES.filter(({ program }) => machine.stat(program) !== undefined);
  const web: readonly string[] = webs.map(({ service }) => service);
  const services = [...new Set([...doors, ...guarded])].filter((service) => !web.includes(service));
  const lines: ServiceWords[] = [];
  for (const service of services) {
    const steps = authSteps(service, read);
    const asks = allSteps(steps).some(isOurs);
    const says = await ruleWords(machine, service, whose, asks, stackWords(service, steps, whose));
    lines.push(
      ...(service === 'sshd'
        ? (await sshdWords(machine, whose.user, asks, says)).map((line) => ({ ...line, asks }))
        : [{ service, says, asks }]),
    );
  }
  for (const service of web) {
    const asks = allSteps(authSteps(read(service) === undefined ? 'other' : service, read)).some(isOurs);
    const says = asks
      ? 'has the line of this module: it refuses a password without a code at its end'
      : 'does not ask this module: Proxmox itself asks for the factors that are enrolled there';
    lines.push({ service: `${service} (web interface)`, says, asks });
  }
  return lines;
}

/** How the rules of config.toml change it. Only root may ask for them. */
async function ruleWords(
  machine: Machine,
  service: string,
  { user }: Whose,
  asks: boolean,
  stack: string,
): Promise<string> {
  const test = asks ? await rulesFor(machine, service, user) : undefined;
  const rule = test?.rules.find(({ number }) => number === test.holds);
  const says =
    rule?.action === 'skip'
      ? `does not ask for a code: rule ${rule.number} of config.toml exempts ${user}`
      : rule?.action === 'deny'
        ? `refuses ${user}: rule ${rule.number} of config.toml`
        : stack;
  return service === 'sshd' && test?.rules.some(({ because }) => because === 'the login is local') === true
    ? `${says}; for some addresses a rule of config.toml says otherwise`
    : says;
}

async function rulesFor(machine: Machine, service: string, user: string): Promise<RuleTest | undefined> {
  try {
    return await machine.ask<RuleTest>('rules', service, user);
  } catch {
    return undefined;
  }
}

function stackWords(service: string, steps: readonly Step[], { user, uid, enrolled }: Whose): string {
  const all = allSteps(steps);
  const ours = all.filter(isOurs);
  if (ours.length === 0) {
    const other = all.find(({ entry }) => asksForCode(entry));
    return other === undefined
      ? 'does not ask for a code'
      : `does not ask this program for a code: /etc/pam.d/${other.file} has ${baseName(other.entry.module)}`;
  }
  const fault = faultOf(steps);
  if (fault?.kind === 'around') {
    return `does not ask everybody for a code: ${placeOf(fault.step)} can let people in before`;
  }
  if (fault?.kind === 'closed') {
    return `lets nobody in: the lines of /etc/pam.d/${service} always refuse`;
  }
  if (uid === 0 && all.some(exemptsRoot)) {
    return 'does not ask root for a code';
  }
  if (enrolled === 'none') {
    return ours.every(({ entry }) => entry.arguments.includes('nullok'))
      ? `asks for a code, but not ${user}, who has no factor (nullok)`
      : `refuses ${user}, who has no factor`;
  }
  return enrolled === 'unusable' || enrolled === 'unknown'
    ? `refuses ${user}, whose factor cannot be used now`
    : 'asks for a code';
}

/** The line that `enable --all` writes for the console. */
function exemptsRoot({ entry }: Step): boolean {
  return (
    baseName(entry.module) === 'pam_succeed_if.so' &&
    /success=\d/.test(entry.control) &&
    / uid (=|eq) 0( |$)/.test(` ${entry.arguments.join(' ')}`)
  );
}
