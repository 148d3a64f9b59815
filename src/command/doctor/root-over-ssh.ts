import type { Machine } from './machine.ts';

/** How sshd lets root in, whatever PAM says. */
export type RootOverSsh =
  /** It does not. */
  | 'never'
  /** With a key: it takes no answer to PAM from root, neither a password nor a code. */
  | 'key-only'
  /** As everybody. Also where it cannot be found out: then root is asked, as far as we know. */
  | 'asked';

/**
 * How sshd lets root in, as sshd itself says, Match blocks included.
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
