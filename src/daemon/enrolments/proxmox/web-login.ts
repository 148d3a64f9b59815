import type { Standing } from './standing.ts';

/** What the module does at the web interface's own login. */
export type WebMode = 'native' | 'gate' | 'concat';

/** The PAM services of the web interfaces, each with its product. */
const SERVICES: Readonly<Record<string, 'pve' | 'pbs'>> = {
  'proxmox-ve-auth': 'pve',
  'proxmox-backup-auth': 'pbs',
};

/**
 * The product whose web interface uses a PAM service.
 *
 * @param service - the PAM service
 * @returns the product, or undefined for another service
 */
export function webProduct(service: string): 'pve' | 'pbs' | undefined {
  return Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
}

/** The decision about a login to the web interface. `ask`: as at any other service. */
export interface WebVerdict {
  readonly kind: 'stand-aside' | 'refuse' | 'ask';
  readonly why: string;
}

/**
 * Decides about a login to the web interface. Proxmox itself asks users who have a factor there; the module never asks them as
 * well.
 *
 * @param mode - any mode but `native`, which needs no decision
 * @param standing - what Proxmox requires from the user
 * @returns the decision
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
