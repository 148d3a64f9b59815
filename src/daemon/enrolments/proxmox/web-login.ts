import type { Standing } from './standing.ts';

/** What the module does at the web interface's own login. */
export type WebMode = 'native' | 'gate' | 'concat';

/** The PAM services of the web interfaces, and whose files say what they ask for. */
const SERVICES: Readonly<Record<string, 'pve' | 'pbs'>> = {
  'proxmox-ve-auth': 'pve',
  'proxmox-backup-auth': 'pbs',
};

/**
 * Whose web interface asks.
 *
 * @param service - the PAM service
 * @returns Proxmox VE, Proxmox Backup Server, or undefined: it is another service
 */
export function webProduct(service: string): 'pve' | 'pbs' | undefined {
  return Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
}

/** What becomes of a login to the web interface. `ask`: as at any other service. */
export interface WebVerdict {
  readonly kind: 'stand-aside' | 'refuse' | 'ask';
  readonly why: string;
}

/**
 * Decides about a login to the web interface. Proxmox itself asks whoever has a factor there; the module never asks them, too.
 *
 * @param mode - not `native`, which needs to know nothing
 * @param standing - what Proxmox wants of the user
 * @returns what becomes of it
 */
export function webVerdict(mode: Exclude<WebMode, 'native'>, { kind }: Standing): WebVerdict {
  switch (kind) {
    case 'usable':
    case 'unusable':
      return { kind: 'stand-aside', why: 'Proxmox itself asks for the second factor' };
    case 'unclear':
      return { kind: 'refuse', why: 'it is unclear whether Proxmox asks for a second factor' };
    case 'unprotected':
    case 'unknown':
      return mode === 'gate'
        ? { kind: 'refuse', why: 'the user has no second factor in Proxmox' }
        : { kind: 'ask', why: 'Proxmox itself asks for no second factor' };
  }
}
