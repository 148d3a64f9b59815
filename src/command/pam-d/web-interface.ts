import { createHash } from 'node:crypto';
import { asksForCode } from './modules.ts';
import { parseStack } from './stack.ts';

const HEAD = [
  '# The login of the web interface, which asks for its second factor itself and',
  '# answers every question of PAM with the password. Without this file it would',
  '# get whatever stands in common-auth. It is taken away again with the last',
  '# service that asks for a code, unless you have edited it.',
  '',
];
const PLAIN = ['auth       required     pam_unix.so', 'account    required     pam_unix.so'];

/**
 * A service file for the login of a web interface of Proxmox: it asks for the password as before, and later changes of
 * common-auth do not affect it.
 *
 * @param commonAuth - contents of common-auth; undefined: there is none
 * @returns the file
 */
export function webInterfaceFile(commonAuth: string | undefined): string {
  const entries = parseStack(commonAuth ?? '');
  const copied = entries.length > 0 && entries.every((entry) => entry.type === 'auth' && !asksForCode(entry));
  // Other lines may jump over the lines that ask for a code, or to them, so a copy without these could behave differently.
  const lines = copied
    ? [
        ...entries.map(({ line, lines: count }) => textOf(commonAuth ?? '', line, count)),
        '@include common-account',
      ]
    : PLAIN;
  return summed([...HEAD, ...lines, ''].join('\n'));
}

/**
 * The same for a machine whose common-auth asks for codes.
 *
 * @returns the file: passwords of this machine, and nothing else
 */
export function plainWebInterfaceFile(): string {
  return summed([...PLAIN, ''].join('\n'));
}

/** By this checksum, scripts/pve-authenticator-undo recognises whether somebody edited the file. */
function summed(text: string): string {
  const sum = createHash('sha256').update(text).digest('hex');
  return `# by pve-google-authenticator, sha256 of the lines below: ${sum}\n${text}`;
}

function textOf(text: string, line: number, count: number): string {
  return text
    .split('\n')
    .slice(line, line + count)
    .join('\n');
}
