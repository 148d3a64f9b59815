/* Every command that a message suggests must be run by a test, as it is printed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
/** A command in a text: up to the end of the text, a quote in it, or a sign that ends a sentence. */
const SUGGESTION =
  /(?:pve-google-authenticator|systemctl|journalctl) -?-?[a-z](?:[^'"`,;()\\\n]|(?<=\$)\{)*/g;

/** Each suggested command, with the test that runs it as printed. */
const RUN: Readonly<Record<string, string>> = {
  'pve-google-authenticator setup --help': 'setup/secrets',
  'pve-google-authenticator --proxmox --user=USER': 'proxmox/command',
  'pve-google-authenticator --user=USER': 'systemd/switching',
  // make deb does them.
  'pve-google-authenticator completion bash': 'systemd/package',
  'pve-google-authenticator completion zsh': 'systemd/package',
  'pve-google-authenticator confirm': 'systemd/switching',
  'pve-google-authenticator disable SERVICE': 'systemd/switching',
  'pve-google-authenticator doctor': 'systemd/doctor',
  'pve-google-authenticator doctor --undo': 'systemd/doctor',
  'pve-google-authenticator enable': 'systemd/switching',
  'pve-google-authenticator export --user USER': 'setup/secrets',
  'pve-google-authenticator forget --user USER': 'setup/secrets',
  'pve-google-authenticator list': 'setup/secrets',
  'pve-google-authenticator list --user USER': 'setup/secrets',
  'pve-google-authenticator qr ID --user USER': 'setup/secrets',
  'pve-google-authenticator recovery': 'setup/secrets',
  'pve-google-authenticator recovery --user USER': 'setup/secrets',
  'pve-google-authenticator remove ID --user USER': 'setup/secrets',
  'pve-google-authenticator rename-user USER USER': 'daemon/renamed-user',
  'pve-google-authenticator repair': 'setup/secrets',
  'pve-google-authenticator unlock --user USER': 'setup/secrets',
  // make install does it.
  'systemctl daemon-reload': 'systemd/install',
  'systemctl enable UNIT.service': 'systemd/switching',
  'journalctl -u UNIT.service': 'systemd/switching',
  'systemctl status UNIT.timer': 'systemd/switching',
  'systemctl status pve-authenticator.socket': 'systemd/install',
};

it('no message suggests a command that no test runs', () => {
  const suggested = new Set<string>();
  for (const name of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    // The doctor's own tests do what it says; examples of a help are done by test/e2e/setup/help.test.ts.
    if (name.endsWith('.ts') && !name.startsWith('command/doctor/')) {
      const text = readFileSync(SRC + name, 'utf8')
        .replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, '')
        .replaceAll(/examples\([^)]*\)/g, '')
        .replaceAll(/Examples:\n[^]*?\n\n/g, '');
      for (const [command] of text.matchAll(SUGGESTION)) {
        suggested.add(plain(command));
      }
    }
  }
  expect([...suggested].sort()).toEqual(Object.keys(RUN).sort());
  const tests = fileURLToPath(new URL('../e2e/', import.meta.url));
  expect(Object.values(RUN).filter((name) => !existsSync(`${tests}${name}.test.ts`))).toEqual([]);
});

function plain(command: string): string {
  return command
    .replaceAll(/\$\{[a-z.]*(?:user|name)\}/g, 'USER')
    .replaceAll(/\$\{[a-z.]*id\}/g, 'ID')
    .replaceAll('${whose}', ' --user USER')
    .replaceAll(/\$\{(?:service|includer)\}/g, 'SERVICE')
    .replaceAll('${UNDO}', 'UNIT')
    .replace(/[. ]+$/, '');
}
