import type { Check, Finding } from '../check.ts';

/** Read before all others, and the first value of a setting counts. */
export const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';

/** What sshd needs to ask for a code at all. */
const NEEDED = [
  ['UsePAM', 'it does not ask PAM, so no code is asked for'],
  ['KbdInteractiveAuthentication', 'it cannot ask for a code'],
] as const;

/** sshd, as `sshd -T` says it is configured, asks PAM and lets it ask. Without sshd all is well. */
export const sshdCheck: Check = {
  name: 'sshd',
  async examine(machine) {
    const { status, stdout, stderr } = await machine.run('sshd', '-T');
    if (status === null && machine.stat('/usr/sbin/sshd') === undefined) {
      return [];
    }
    if (status !== 0) {
      return [{ what: `sshd cannot read its configuration: ${stderr.trim()}`, mend: 'sshd -t' }];
    }
    return NEEDED.flatMap(([setting, what]): Finding[] =>
      new RegExp(`^${setting.toLowerCase()} yes$`, 'm').test(stdout)
        ? []
        : [
            {
              what: `sshd_config says "${setting} no": ${what}.`,
              mend: `echo '${setting} yes' >>${SSHD_DROP_IN} && systemctl try-reload-or-restart ssh.service`,
            },
          ],
    );
  },
};
