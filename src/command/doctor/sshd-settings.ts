import type { Machine } from './machine.ts';
import type { Argv, Remedy } from './remedy.ts';

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

export const SSHD_RELOAD: Argv = ['systemctl', 'try-reload-or-restart', 'ssh.service'];

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
 * What makes a setting of sshd hold for everybody.
 *
 * @param machine - what the file says of it now is put aside
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
 * What makes a setting of sshd hold for one user.
 *
 * @param machine - where more may be set
 * @param user - a name without signs that mean something to sshd
 * @param setting - its name and value
 * @returns the remedy
 */
export function setForUser(machine: Pick<Machine, 'read'>, user: string, setting: string): Remedy {
  const lines = [marked(`Match User ${user}`), marked(`    ${setting}`)];
  return written(SSHD_MATCH_DROP_IN, `${textOf(machine, SSHD_MATCH_DROP_IN)}${lines.join('\n')}\n`);
}

/** Ends with a whole line, so that another one may follow. */
function textOf(machine: Pick<Machine, 'read'>, path: string): string {
  const text = machine.read(path)?.toString('latin1') ?? '';
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function written(path: string, text: string): Remedy {
  return { acts: [{ do: 'write', path, text }], then: [SSHD_RELOAD] };
}
