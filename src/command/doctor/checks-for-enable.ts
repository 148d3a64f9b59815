import type { Check } from './check.ts';
import { clockCheck } from './checks/clock.ts';
import { daemonCheck } from './checks/daemon.ts';
import { moduleCheck } from './checks/module.ts';
import { proxmoxClusterCheck } from './checks/proxmox-cluster.ts';
import { proxmoxWebCheck } from './checks/proxmox-web.ts';
import { sshdCheck } from './checks/sshd.ts';

/**
 * The checks before a service is switched on.
 *
 * @param services - the services of PAM
 * @param version - of the command
 * @returns the checks
 */
export function checksForEnable(services: readonly string[], version: string): readonly Check[] {
  return [
    daemonCheck(version),
    moduleCheck(version),
    clockCheck,
    ...(services.includes('sshd') ? [sshdCheck] : []),
  ];
}

/**
 * The checks of a machine with Proxmox after it was prepared.
 *
 * @param services - the services of PAM
 * @returns the checks
 */
export function proxmoxChecks(services: readonly string[]): readonly Check[] {
  return [...(services.includes('sshd') ? [proxmoxClusterCheck] : []), proxmoxWebCheck];
}
