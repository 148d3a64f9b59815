import { readdirSync } from 'node:fs';

/**
 * Whether this is a machine with Proxmox VE: there is /etc/pve, mounted or not. It is not touched, because its file system may hang.
 *
 * @returns whether it is; false, too, if /etc cannot be read
 */
export function hasProxmoxVe(): boolean {
  try {
    return readdirSync('/etc').includes('pve');
  } catch {
    return false;
  }
}
