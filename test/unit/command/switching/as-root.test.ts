import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { asRoot } from '../../../../src/command/switching/as-root.ts';
import { shellUidOf } from '../../../../src/command/switching/who.ts';

const SUDO = { isRoot: false, hasSudo: true };

it.each([
  [{ isRoot: true, hasSudo: true }, 'a && b', 'a && b'],
  [SUDO, 'systemctl restart x.service', 'sudo systemctl restart x.service'],
  [SUDO, 'a && b', "sudo sh -c 'a && b'"],
  [SUDO, "echo 'x' >>/etc/y", "sudo sh -c 'echo '\\''x'\\'' >>/etc/y'"],
  [{ isRoot: false, hasSudo: false }, 'a b', "su -c 'a b'"],
])('%j runs %s as %s', (reader, command, line) => {
  expect(asRoot(command, reader)).toBe(line);
});

it('is one line that a shell reads back unchanged, with any contents', () => {
  const command = `printf '%s|' 'it'\\''s' "$HOME" 'a;b' # end`;
  const line = asRoot(command, SUDO).replace(/^sudo /, '');
  expect(execFileSync('sh', ['-c', line], { encoding: 'utf8' })).toBe(
    execFileSync('sh', ['-c', command], { encoding: 'utf8' }),
  );
});

it.each([
  [
    'sudo in a shell of alice',
    [
      ['sudo', 0],
      ['sudo', 0],
      ['bash', 1000],
      ['sshd', 0],
    ],
    1000,
  ],
  [
    'a root shell of sudo -i',
    [
      ['bash', 0],
      ['sudo', 0],
      ['bash', 1000],
    ],
    0,
  ],
  [
    'su -c',
    [
      ['su', 0],
      ['zsh', 1001],
    ],
    1001,
  ],
  [
    'a root shell at the console',
    [
      ['sh', 0],
      ['login', 0],
    ],
    0,
  ],
  ['a service of systemd', [], 0],
] as const)('%s', (_how, chain, uid) => {
  expect(shellUidOf(chain.map(([name, owner]) => ({ name, uid: owner })))).toBe(uid);
});
