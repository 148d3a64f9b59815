import { readOathKey } from '../../formats/oath-key.ts';
import { PUBLIC_ID, type ProxmoxTotp, type ProxmoxYubico } from './tfa-config.ts';

/* Keys as Proxmox VE kept them before version 7: in user.cfg, or in lines of tfa.cfg. Proxmox still reads both. */

const SEPARATORS = /[,; ]+/;

/**
 * TOTP entries of old keys.
 *
 * @param keys - separated by commas, semicolons or spaces
 * @param digits - of the realm, or of the line
 * @param period - seconds
 * @returns those whose form is known
 */
export function oathEntries(keys: string, digits: number, period: number): ProxmoxTotp[] {
  return keys.split(SEPARATORS).flatMap((key) => {
    const secret = readOathKey(key);
    return secret === undefined
      ? []
      : [{ ...OLD, secret, algorithm: 'sha1' as const, digits, period, lastCount: undefined }];
  });
}

/**
 * Yubico entries of old keys.
 *
 * @param keys - separated by commas, semicolons or spaces
 * @returns those that are public ids
 */
export function yubicoEntries(keys: string): ProxmoxYubico[] {
  return keys
    .split(SEPARATORS)
    .map((key) => key.toLowerCase())
    .filter((key) => PUBLIC_ID.test(key))
    .map((publicId) => ({ ...OLD, publicId }));
}

/** As Proxmox itself names what it takes over. */
const OLD = { id: 'v1-entry', description: '<old version 1 entry>', created: 0, enabled: true } as const;
