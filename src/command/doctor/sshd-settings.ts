import type { Machine } from './machine.ts';
import type { Argv, Remedy } from './remedy.ts';

/* Our changes to sshd's configuration. scripts/pve-authenticator-undo, which has the same words and names, undoes all of them. */

/** Ends every line that is ours. Lines without it are the administrator's. */
export const SSHD_MARK = '# by pve-google-authenticator';
/** Marks a line of the administrator that is disabled while ours is in force. */
const ASIDE = '# put aside by pve-google-authenticator: ';

/** sshd reads this file before all others, and the first value of a setting counts. */
export const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';
/** Read before the other one. It has only Match blocks, because everything after a Match belongs to its block. */
export const SSHD_MATCH_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator-match.conf';
/** Read after the file of `enable`. */
export const SSHD_CLUSTER_DROP_IN = '/etc/ssh/sshd_config.d/01-pve-authenticator-cluster.conf';
/** For a main file without an Include: includes only our files, so that other files still have no effect. */
export const SSHD_INCLUDE = 'Include /etc/ssh/sshd_config.d/0?-pve-authenticator*.conf';

export const SSHD_RELOAD: Argv = ['systemctl', 'try-reload-or-restart', 'ssh.service'];

/**
 * A line of sshd_config that is ours.
 *
 * @param line - its contents
 * @returns the line with our mark
 */
export function marked(line: string): string {
  return `${line} ${SSHD_MARK}`;
}

/**
 * The remedy that sets something in sshd for everybody.
 *
 * @param machine - the machine; an existing setting is put aside
 * @param setting - its name and value
 * @returns the remedy
 */
export function setForAll(machine: Pick<Machine, 'read'>, setting: string): Remedy {
  const [name = ''] = setting.split(' ');
  const aside = textOf(machine, SSHD_DROP_IN).replace(
    new RegExp(`^ *${name} `, 'gim'),
    (line) => `${ASIDE}${line}`,
  );
  return written(SSHD_DROP_IN, `${aside}${marked(setting)}\n`);
}

/**
 * The remedy that sets something in sshd for one user.
 *
 * @param machine - the machine, which may have more settings
 * @param user - a name without characters that are special to sshd
 * @param setting - its name and value
 * @returns the remedy
 */
export function setForUser(machine: Pick<Machine, 'read'>, user: string, setting: string): Remedy {
  const lines = [marked(`Match User ${user}`), marked(`    ${setting}`)];
  return written(SSHD_MATCH_DROP_IN, `${textOf(machine, SSHD_MATCH_DROP_IN)}${lines.join('\n')}\n`);
}

/** Ends with a line end, so that another line can follow. */
function textOf(machine: Pick<Machine, 'read'>, path: string): string {
  const text = machine.read(path)?.toString('latin1') ?? '';
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function written(path: string, text: string): Remedy {
  return { acts: [{ do: 'write', path, text }], then: [SSHD_RELOAD] };
}
