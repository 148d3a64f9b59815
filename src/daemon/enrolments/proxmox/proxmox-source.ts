import type { Account, AccountLookup, EnrolmentSource } from '../enrolment.ts';
import type { Current } from './current-files.ts';
import { proxmoxEnrolment, type ProxmoxContext } from './proxmox-enrolment.ts';
import { doubted, standingOf, type ProxmoxConfig, type Standing } from './standing.ts';

type Known = Extract<Current<ProxmoxConfig>, { kind: 'known' }>;

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
 * The factors of Proxmox's web interface, as a source of enrolments. The source never writes.
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
  const standing = standingIn(ports, current, account);
  switch (standing.kind) {
    case 'unknown':
    case 'unprotected':
      return { kind: 'absent' };
    case 'unusable':
    case 'unclear':
      return { kind: 'blocked', why: `Proxmox: ${standing.why}` };
    case 'usable':
      return {
        kind: 'enrolled',
        enrolment: proxmoxEnrolment(account, standing, () => standingNow(ports, account), ports),
      };
  }
}

async function standingNow(ports: ProxmoxPorts, account: Account): Promise<Standing | undefined> {
  const current = await ports.current();
  return current.kind === 'known' ? standingIn(ports, current, account) : undefined;
}

function standingIn({ realms, now }: ProxmoxPorts, { config, doubt }: Known, { name }: Account): Standing {
  const [userId, ...others] = userIdsOf(config, name, realms);
  if (others.length > 0) {
    return { kind: 'unclear', why: 'Proxmox has several users whose names differ in capitals only' };
  }
  const standing: Standing =
    userId === undefined ? { kind: 'unknown' } : standingOf(config, userId, Math.floor(now() / 1000));
  return doubted(standing, doubt);
}

/**
 * Finds the Proxmox user of a UNIX user, in the first realm that knows one.
 *
 * @param config - the files of Proxmox
 * @param name - canonical name of the UNIX user
 * @param realms - where to look, in this order
 * @returns `name@realm`; `none`: no realm knows the user; `several`: names differ only in case, and Proxmox does not guess either
 */
export function userIdsOf(config: ProxmoxConfig, name: string, realms: readonly string[]): readonly string[] {
  for (const realm of realms) {
    const exact = `${name}@${realm}`;
    const wanted = exact.toLowerCase();
    const found =
      config.domains.get(realm)?.caseSensitive === false
        ? [...config.users.keys(), ...config.tfa.keys()].filter((userId) => userId.toLowerCase() === wanted)
        : [exact].filter((userId) => config.users.has(userId) || config.tfa.has(userId));
    if (found.length > 0) {
      return [...new Set(found)];
    }
  }
  return [];
}
