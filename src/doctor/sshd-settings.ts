import type { Machine } from './machine.ts';

/* What is written into sshd's configuration. All of it is taken back by scripts/pve-authenticator-undo, which has the same words and names. */

/** Ends every line that is ours. Lines without it are the administrator's. */
export const SSHD_MARK = '# by pve-google-authenticator';
/** Begins a line of the administrator that is out of force while ours holds. */
const ASIDE = '# put aside by pve-google-authenticator: ';

/** Read before all others, and the first value of a setting counts. */
export const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';
/** Read before the other; in it are Match blocks only, since what follows one belongs to it. */
export const SSHD_MATCH_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator-match.conf';
/** After that of `enable`, so that it stands below its settings. */
export const SSHD_CLUSTER_DROP_IN = '/etc/ssh/sshd_config.d/01-pve-authenticator-cluster.conf';
/** Where there is no Include for all files: ours, and no file of others that had no effect before. */
export const SSHD_INCLUDE = 'Include /etc/ssh/sshd_config.d/0?-pve-authenticator*.conf';

export const SSHD_RELOAD = 'systemctl try-reload-or-restart ssh.service';

/**
 * A line of sshd_config that is ours.
 *
 * @param line - what it says
 * @returns the line with our mark
 */
export function marked(line: string): string {
  return `${line} ${SSHD_MARK}`;
}

/**
 * A command that makes a setting of sshd hold for everybody.
 *
 * @param machine - what the file says of it now is put aside
 * @param setting - its name and value
 * @returns the command
 */
export function setForAll(machine: Pick<Machine, 'read'>, setting: string): string {
  const [name = ''] = setting.split(' ');
  const text = machine.read(SSHD_DROP_IN)?.toString('utf8') ?? '';
  const aside = new RegExp(`^ *${name} `, 'im').test(text)
    ? `sed -i -e 's/^ *${name} /${ASIDE}&/I' ${SSHD_DROP_IN} && `
    : '';
  return `${aside}echo '${marked(setting)}' >>${SSHD_DROP_IN} && ${SSHD_RELOAD}`;
}

/**
 * A command that makes a setting of sshd hold for one user.
 *
 * @param user - a name without signs that mean something to sshd or to a shell
 * @param setting - its name and value
 * @returns the command
 */
export function setForUser(user: string, setting: string): string {
  const lines = [marked(`Match User ${user}`), marked(`    ${setting}`)];
  return `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >>${SSHD_MATCH_DROP_IN} && ${SSHD_RELOAD}`;
}
