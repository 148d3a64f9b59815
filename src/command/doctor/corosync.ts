import { isIP } from 'node:net';
import { marked } from './sshd-settings.ts';

/** Where Proxmox VE keeps the configuration of its cluster. */
export const COROSYNC_CONF = '/etc/pve/corosync.conf';
/** The copy that corosync itself reads. It exists even while /etc/pve is not mounted. */
export const COROSYNC_COPY = '/etc/corosync/corosync.conf';

const ADDRESS = /^ring\d_addr$/;

/**
 * The addresses of a cluster's nodes: `ring0_addr` to `ring7_addr` of each `node` in the `nodelist` of corosync.conf(5).
 *
 * @param text - the file
 * @returns each literal address once, in their order, and the names, which no exemption may use, because the name server would
 * control it
 */
export function nodeAddresses(text: string): {
  readonly addresses: readonly string[];
  readonly names: readonly string[];
} {
  const sections: string[] = [];
  const found = new Set<string>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    const [, opened] = /^(\w+)\s*\{$/.exec(line) ?? [];
    const [, key, value] = /^(\w+)\s*:\s*(\S+)$/.exec(line) ?? [];
    if (line === '' || line.startsWith('#')) {
      continue;
    }
    if (opened !== undefined) {
      sections.push(opened);
    } else if (line === '}') {
      sections.pop();
    } else if (
      sections.join('.') === 'nodelist.node' &&
      key !== undefined &&
      value !== undefined &&
      ADDRESS.test(key)
    ) {
      found.add(value);
    }
  }
  return {
    addresses: [...found].filter((address) => isIP(address) !== 0),
    names: [...found].filter((address) => isIP(address) === 0),
  };
}

/**
 * The sshd settings that let the nodes of a cluster log in to each other as root, whatever other logins need. Migration,
 * replication and the shells of other nodes use a key and cannot answer questions.
 *
 * @param addresses - of the nodes, literal
 * @returns the text of a file for sshd_config.d
 */
export function sshdExemption(addresses: readonly string[]): string {
  return [
    ...[
      `Match User root Address ${addresses.join(',')}`,
      '    AuthenticationMethods publickey',
      'Match all',
    ].map(marked),
    '',
  ].join('\n');
}
