import type { Check } from './check.ts';
import { clockCheck } from './checks/clock.ts';
import { configCheck } from './checks/config.ts';
import { daemonCheck } from './checks/daemon.ts';
import { factorsCheck } from './checks/factors.ts';
import { hostnameCheck } from './checks/hostname.ts';
import { ledgerCheck } from './checks/ledger.ts';
import { modesCheck } from './checks/modes.ts';
import { moduleCheck } from './checks/module.ts';
import { nullokCheck } from './checks/nullok.ts';
import { optionsCheck } from './checks/options.ts';
import { orderCheck } from './checks/order.ts';
import { proxmoxClusterCheck } from './checks/proxmox-cluster.ts';
import { proxmoxWebCheck } from './checks/proxmox-web.ts';
import { sshdLoginsCheck } from './checks/sshd-logins.ts';
import { stateCheck } from './checks/state.ts';
import { twiceCheck } from './checks/twice.ts';
import { unconfirmedCheck } from './checks/unconfirmed.ts';
import { unitsCheck } from './checks/units.ts';
import { yubicoCheck } from './checks/yubico.ts';

/**
 * All checks of `doctor`. A check comes before the checks that depend on it, so running the commands from the top down fixes
 * things in the right order.
 *
 * @param version - of the command
 * @returns the checks
 */
export function allChecks(version: string): readonly Check[] {
  return [
    unitsCheck,
    stateCheck,
    modesCheck,
    configCheck,
    daemonCheck(version),
    moduleCheck(version),
    ledgerCheck,
    yubicoCheck,
    clockCheck,
    hostnameCheck,
    optionsCheck,
    orderCheck,
    twiceCheck,
    sshdLoginsCheck,
    proxmoxClusterCheck,
    proxmoxWebCheck,
    factorsCheck,
    nullokCheck,
    unconfirmedCheck,
  ];
}
