import type { Check, Finding } from '../check.ts';
import type { Machine } from '../machine.ts';
import { running, type Remedy } from '../remedy.ts';
import { setForAll, SSHD_RELOAD } from '../sshd-settings.ts';

/** Settings that sshd needs to ask for a code at all. */
const NEEDED = [
  ['UsePAM', 'it does not ask PAM, so no code is asked for'],
  ['KbdInteractiveAuthentication', 'it cannot ask for a code'],
] as const;

/** Checks with `sshd -T` that sshd uses PAM and lets it ask questions. Without sshd there is nothing to find. */
export const sshdCheck: Check = {
  name: 'sshd',
  async examine(machine) {
    const { status, stdout, stderr } = await machine.run('sshd', '-T');
    if (status === null && machine.stat('/usr/sbin/sshd') === undefined) {
      return [];
    }
    if (status !== 0) {
      return [unreadable(machine, stderr.trim().replace(/\s+/g, ' '))];
    }
    return NEEDED.flatMap(([setting, what]): Finding[] =>
      new RegExp(`^${setting.toLowerCase()} yes$`, 'm').test(stdout)
        ? []
        : [
            {
              what: `sshd_config says "${setting} no": ${what}.`,
              mend: setForAll(machine, `${setting} yes`),
            },
          ],
    );
  },
};

/** sshd's message names the line, or a method that needs another setting. */
function unreadable(machine: Machine, said: string): Finding {
  const what = `sshd cannot use its configuration, and will not start again: ${said}`;
  const [, file, line] = /(\/\S+?):? line (\d+)/.exec(said) ?? [];
  if (file !== undefined && line !== undefined) {
    return { what, mend: withoutLine(machine, file, Number(line)) };
  }
  if (said.includes('Missing privilege separation directory')) {
    // The directory exists only while ssh.service runs.
    return {
      what: `sshd does not run, and cannot print its configuration: ${said}`,
      mend: running(['mkdir', '-p', '-m', '755', '/run/sshd']),
    };
  }
  return said.includes('Disabled method "keyboard-interactive"')
    ? { what, mend: setForAll(machine, 'KbdInteractiveAuthentication yes') }
    : { what, mend: 'sshd -t' };
}

function withoutLine(machine: Machine, path: string, number: number): Remedy | string {
  const lines = machine.read(path)?.toString('latin1').split('\n');
  const text = lines?.map((line, index) => (index === number - 1 ? `# ${line}` : line)).join('\n');
  return text === undefined ? 'sshd -t' : { acts: [{ do: 'write', path, text }], then: [SSHD_RELOAD] };
}
