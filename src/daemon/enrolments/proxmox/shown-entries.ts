import type { Current } from './current-files.ts';
import { userIdsOf } from './proxmox-source.ts';
import type { ProxmoxConfig } from './standing.ts';
import type { ShownEntry, ShownUser } from '../../../contracts/shown-user.ts';
import { NO_ENTRIES, type ProxmoxEntry } from './tfa-config.ts';

/**
 * The factors of a user of this machine in Proxmox, without secrets.
 *
 * @param current - the files
 * @param name - canonical name
 * @param realms - realms that may know the user
 * @param now - milliseconds since 1970
 * @returns the factors; undefined if Proxmox does not know the user, has several of the name, or cannot be read
 */
export function shownUser(
  current: Current<ProxmoxConfig>,
  name: string,
  realms: readonly string[],
  now: number,
): ShownUser | undefined {
  const [userId, ...others] = current.kind === 'known' ? userIdsOf(current.config, name, realms) : [];
  if (current.kind !== 'known' || userId === undefined || others.length > 0) {
    return undefined;
  }
  const found = current.config.tfa.get(userId) ?? NO_ENTRIES;
  const { recovery } = found;
  const entries = [
    ...found.totp.map((entry) => shown('totp', entry)),
    ...found.yubico.map((entry) => shown('yubico', entry)),
    ...found.webauthn.map((entry) => shown('webauthn', entry)),
    ...found.u2f.map((entry) => shown('u2f', entry)),
    ...(recovery === undefined
      ? []
      : [
          {
            ...shown('recovery', {
              id: 'recovery',
              description: '',
              created: recovery.created,
              enabled: true,
            }),
            keysLeft: recovery.left,
          },
        ]),
  ];
  const until = found.lockedUntil * 1000;
  return {
    userId: printable(userId),
    entries,
    totpLocked: found.totpLocked,
    lockedUntil: until > now ? moment(found.lockedUntil) : null,
  };
}

function shown(kind: ShownEntry['kind'], { id, description, created, enabled }: ProxmoxEntry): ShownEntry {
  return { kind, id: printable(id), name: printable(description), added: moment(created), enabled };
}

/**
 * Users choose these texts in the web interface, so characters that control a terminal or change the text direction are not
 * shown.
 */
function printable(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** The largest time that a Date can hold, in seconds. */
const LATEST = 8_640_000_000_000;

function moment(seconds: number): string {
  return new Date(Math.min(Math.max(seconds, 0), LATEST) * 1000).toISOString();
}
