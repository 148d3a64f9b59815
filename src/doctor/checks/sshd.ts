import type { Check, Finding } from '../check.ts';

/** Read before all others, and the first value of a setting counts. */
const SSHD_DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';

const RELOAD = 'systemctl try-reload-or-restart ssh.service';

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
      return [unreadable(stderr.trim().replace(/\s+/g, ' '))];
    }
    return NEEDED.flatMap(([setting, what]): Finding[] =>
      new RegExp(`^${setting.toLowerCase()} yes$`, 'm').test(stdout)
        ? []
        : [
            {
              what: `sshd_config says "${setting} no": ${what}.`,
              mend: put(`${setting} yes`),
            },
          ],
    );
  },
};

/** What sshd says has the line, or it is about what only works with another setting. */
function unreadable(said: string): Finding {
  const what = `sshd cannot use its configuration, and will not start again: ${said}`;
  const [, file, line] = /(\/\S+?):? line (\d+)/.exec(said) ?? [];
  if (file !== undefined && line !== undefined) {
    return { what, mend: `sed -i -e '${line}s/^/# /' ${file} && ${RELOAD}` };
  }
  if (said.includes('Missing privilege separation directory')) {
    // It is there while ssh.service runs.
    return {
      what: `sshd does not run, and cannot be asked how it is configured: ${said}`,
      mend: 'mkdir -p -m 755 /run/sshd',
    };
  }
  return said.includes('Disabled method "keyboard-interactive"')
    ? { what, mend: put('KbdInteractiveAuthentication yes') }
    : { what, mend: 'sshd -t' };
}

/**
 * A command that makes a setting of sshd hold.
 *
 * @param setting - its name and value
 * @returns the command; what the file said of it before goes
 */
export function put(setting: string): string {
  const [name = ''] = setting.split(' ');
  return `sed -i -e '/^ *${name} /Id' ${SSHD_DROP_IN} 2>/dev/null; echo '${setting}' >>${SSHD_DROP_IN} && ${RELOAD}`;
}
