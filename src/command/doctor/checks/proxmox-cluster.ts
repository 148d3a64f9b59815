import type { Check, Finding } from '../check.ts';
import { COROSYNC_CONF, COROSYNC_COPY, nodeAddresses, sshdExemption } from '../corosync.ts';
import type { Machine } from '../machine.ts';
import type { Act } from '../remedy.ts';
import { SSHD_CLUSTER_DROP_IN, SSHD_RELOAD } from '../sshd-settings.ts';

/** On a node of a cluster, checks that the other nodes can log in as root with their key alone. */
export const proxmoxClusterCheck: Check = {
  name: 'proxmox-cluster',
  async examine(machine) {
    const text = machine.read(COROSYNC_CONF) ?? machine.read(COROSYNC_COPY);
    if (text === undefined) {
      return [];
    }
    const { addresses, names } = nodeAddresses(text.toString());
    const asked: string[] = [];
    for (const address of addresses) {
      if (!(await keyIsEnough(machine, address))) {
        asked.push(address);
      }
    }
    return [...(asked.length === 0 ? [] : [finding(asked, addresses)]), ...names.map(named)];
  },
};

/** `any`, or one of the lists is the key alone. */
async function keyIsEnough(machine: Machine, address: string): Promise<boolean> {
  const { status, stdout } = await machine.run(
    'sshd',
    '-T',
    '-C',
    `user=root,host=${address},addr=${address}`,
  );
  const [, methods = 'any'] = /^authenticationmethods (.*)$/m.exec(stdout) ?? [];
  // If sshd cannot read its configuration, another check reports it.
  return status !== 0 || methods.split(' ').some((list) => list === 'any' || list === 'publickey');
}

/**
 * The change that lets the nodes of this cluster log in with root's key alone.
 *
 * @param machine - where
 * @returns the act; undefined if there is no cluster
 */
export function exemptNodes(machine: Machine): Act | undefined {
  const text = machine.read(COROSYNC_CONF) ?? machine.read(COROSYNC_COPY);
  return text === undefined ? undefined : exempt(nodeAddresses(text.toString()).addresses);
}

function exempt(addresses: readonly string[]): Act {
  return { do: 'write', path: SSHD_CLUSTER_DROP_IN, text: sshdExemption(addresses) };
}

function finding(asked: readonly string[], addresses: readonly string[]): Finding {
  return {
    what: `sshd asks root for more than a key, also when the node ${asked.join(' and ')} of this cluster connects (AuthenticationMethods). Migration, replication and the shells of other nodes fail.`,
    mend: { acts: [exempt(addresses)], then: [SSHD_RELOAD] },
  };
}

function named(name: string): Finding {
  return {
    what: `${COROSYNC_CONF} has a name in place of an address for the node ${name}, so the node cannot be exempted: the name server could then exempt any machine.`,
    mend: `getent ahosts '${name.replaceAll("'", '')}' # then write this address as ring0_addr in ${COROSYNC_CONF}, and raise its config_version`,
  };
}
