import type { Account, AccountLookup, EnrolmentSource } from '../enrolment.ts';
import type { Current } from './current-files.ts';
import { proxmoxEnrolment, type ProxmoxContext } from './proxmox-enrolment.ts';
import { standingOf, type ProxmoxConfig, type Standing } from './standing.ts';

/** What the source needs. */
export interface ProxmoxPorts extends ProxmoxContext {
  /** What the files of Proxmox say now. It never rejects. */
  readonly current: () => Promise<Current<ProxmoxConfig>>;
  /** Realms in which a UNIX user may be known; the first that knows the user counts. */
  readonly realms: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * What was enrolled in the web interface of Proxmox as a source of enrolments. Nothing is ever written there.
 *
 * @param ports - files, ledger, time
 * @returns the source
 */
export function proxmoxSource(ports: ProxmoxPorts): EnrolmentSource {
  return {
    lookUp: (account) => lookUp(ports, account),
    lookUpNobody: async () => {
      await ports.current();
    },
  };
}

async function lookUp(ports: ProxmoxPorts, account: Account): Promise<AccountLookup> {
  const current = await ports.current();
  if (current.kind === 'failed') {
    return { kind: 'failed', why: `Proxmox: ${current.why}` };
  }
  const standing = standingIn(ports, current.config, account);
  switch (standing.kind) {
    case 'unknown':
    case 'unprotected':
      return { kind: 'absent' };
    case 'unusable':
      return { kind: 'blocked', why: `Proxmox: ${standing.why}` };
    case 'usable':
      return {
        kind: 'enrolled',
        enrolment: proxmoxEnrolment(account.name, standing, () => standingNow(ports, account), ports),
      };
  }
}

async function standingNow(ports: ProxmoxPorts, account: Account): Promise<Standing | undefined> {
  const current = await ports.current();
  return current.kind === 'known' ? standingIn(ports, current.config, account) : undefined;
}

function standingIn({ realms, now }: ProxmoxPorts, config: ProxmoxConfig, { name }: Account): Standing {
  const userId = userIdOf(config, name, realms);
  return userId === undefined ? { kind: 'unknown' } : standingOf(config, userId, Math.floor(now() / 1000));
}

/**
 * The user of Proxmox that a UNIX user is.
 *
 * @param config - the files of Proxmox
 * @param name - canonical name of the UNIX user
 * @param realms - where to look, in this order
 * @returns `name@realm`, or undefined: no realm knows the user
 */
export function userIdOf(config: ProxmoxConfig, name: string, realms: readonly string[]): string | undefined {
  for (const realm of realms) {
    const exact = `${name}@${realm}`;
    if (config.users.has(exact) || config.tfa.has(exact)) {
      return exact;
    }
    if (config.domains.get(realm)?.caseSensitive === false) {
      const all = [...config.users.keys(), ...config.tfa.keys()];
      const same = new Set(all.filter((userId) => sameIgnoringCase(userId, exact)));
      const [first] = same;
      // Two users that differ in capitals only are not guessed between.
      if (same.size === 1 && first !== undefined) {
        return first;
      }
    }
  }
  return undefined;
}

function sameIgnoringCase(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
