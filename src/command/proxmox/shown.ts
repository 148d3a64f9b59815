import type { ProxmoxUserView } from '../../contracts/control-requests.ts';
import { minute } from '../session/user-views.ts';

/** The prefix of ids of factors in Proxmox, which tells them from ours. */
export const PROXMOX_PREFIX = 'proxmox:';

/**
 * The factors of a user in Proxmox as sentences.
 *
 * @param user - canonical name
 * @param view - the user's factors there
 * @returns a line for each
 */
export function proxmoxSentences(user: string, { userId, entries }: ProxmoxUserView): string[] {
  return entries.map(({ kind, id, name, added, enabled, keysLeft }) =>
    [
      `${user}: ${name === '' ? kind : name} (${kind} in Proxmox as ${userId}, ${PROXMOX_PREFIX}${id})`,
      `added ${minute(added)}`,
      ...(enabled ? [] : ['switched off']),
      ...(keysLeft === undefined ? [] : [`keys left: ${keysLeft}`]),
      ...(['webauthn', 'u2f', 'recovery'].includes(kind) ? ['works only in the web interface'] : []),
    ].join(', '),
  );
}

/**
 * Remarks about a user in Proxmox.
 *
 * @param view - the user's factors there
 * @returns sentences, or none
 */
export function proxmoxRemarks({ userId, totpLocked, lockedUntil }: ProxmoxUserView): string[] {
  return [
    ...(totpLocked ? [`${userId}: Proxmox has locked the codes; "unlock" ends that`] : []),
    ...(lockedUntil === null
      ? []
      : [`${userId}: Proxmox has locked all factors until ${minute(lockedUntil)}`]),
  ];
}
