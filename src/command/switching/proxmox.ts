import { existsSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { proxmoxClusterCheck } from '../doctor/checks/proxmox-cluster.ts';
import { WEB_SERVICES } from '../doctor/checks/proxmox-web.ts';
import { COROSYNC_CONF, COROSYNC_COPY, nodeAddresses, sshdExemption } from '../doctor/corosync.ts';
import type { Machine } from '../doctor/machine.ts';
import { SSHD_CLUSTER_DROP_IN } from '../doctor/sshd-settings.ts';
import { webInterfaceFile } from '../pam-d/web-interface.ts';
import { writeDurably } from './durable.ts';
import type { Places } from './places.ts';
import { readerOf } from './plan.ts';

/** Service files and settings of sshd are not secret, so everybody may read them. */
const FOR_ALL = 0o644;

/**
 * Prepares a machine with Proxmox before a service is switched on: its web interface gets a service file of its own, and the nodes of its
 * cluster still reach each other. Neither changes what logins ask for, and existing files are left alone.
 * scripts/pve-authenticator-undo takes
 * both back when services ask for no code any more.
 *
 * @param places - where
 * @param machine - programs and files
 * @param services - those that are switched on
 * @returns the paths of files that were written
 * @throws SwitchError when one cannot be written
 */
export async function prepareProxmox(
  places: Places,
  machine: Machine,
  services: readonly string[],
): Promise<readonly string[]> {
  const written: string[] = [];
  const read = readerOf(places);
  for (const { service, program } of WEB_SERVICES) {
    if (machine.stat(program) !== undefined && read(service) === undefined) {
      const path = `${places.pam}/${service}`;
      writeDurably(path, webInterfaceFile(read('common-auth')), FOR_ALL);
      written.push(path);
    }
  }
  if (services.includes('sshd') && (await proxmoxClusterCheck.examine(machine)).length > 0) {
    written.push(...(await exemptNodes(places, machine)));
  }
  return written;
}

/** A file that sshd cannot read is removed again at once. */
async function exemptNodes(places: Places, machine: Machine): Promise<string[]> {
  const path = `${dirname(places.pam)}/ssh/sshd_config.d/${basename(SSHD_CLUSTER_DROP_IN)}`;
  const text = machine.read(COROSYNC_CONF) ?? machine.read(COROSYNC_COPY);
  const { addresses } = nodeAddresses(text?.toString() ?? '');
  if (addresses.length === 0 || existsSync(path)) {
    return [];
  }
  writeDurably(path, sshdExemption(addresses), FOR_ALL);
  if ((await machine.run('sshd', '-t')).status !== 0) {
    rmSync(path, { force: true });
    return [];
  }
  await machine.run('systemctl', 'try-reload-or-restart', 'ssh.service');
  return [path];
}
