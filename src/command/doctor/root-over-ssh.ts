import type { Machine } from './machine.ts';

/** How sshd treats root, whatever PAM returns. */
export type RootOverSsh =
  /** Not at all. */
  | 'never'
  /** With a key only: it accepts neither a password nor a code from root. */
  | 'key-only'
  /** Like everybody. Also used if it is unknown. */
  | 'asked';

/**
 * How sshd treats root, according to sshd itself, Match blocks included.
 *
 * @param machine - runs sshd
 * @returns how
 */
export async function rootOverSsh(machine: Pick<Machine, 'run'>): Promise<RootOverSsh> {
  const { status, stdout } = await machine.run('sshd', '-T', '-C', 'user=root,host=localhost,addr=127.0.0.1');
  const [, permit = ''] = (status === 0 && /^permitrootlogin (.*)$/m.exec(stdout)) || [];
  switch (permit.trim()) {
    case 'no':
      return 'never';
    case 'without-password':
    case 'prohibit-password':
    case 'forced-commands-only':
      return 'key-only';
    default:
      return 'asked';
  }
}
