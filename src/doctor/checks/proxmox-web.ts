import type { Check, Finding } from '../check.ts';
import type { Machine } from '../machine.ts';

/** The services of the web interfaces, and the program that shows that one is installed. */
export const WEB_SERVICES = [
  { service: 'proxmox-ve-auth', program: '/usr/bin/pveproxy' },
  { service: 'proxmox-backup-auth', program: '/usr/sbin/proxmox-backup-manager' },
] as const;
/** Modules that ask for a code in a place where nobody can answer. */
const CODE_MODULES = [
  'pam_pve_authenticator.so',
  'pam_google_authenticator.so',
  'pam_oath.so',
  'pam_yubico.so',
];
const INCLUDE = /^\s*(?:@include|(?:auth)\s+(?:include|substack))\s+(\S+)/;
const MODULE = /^\s*-?auth\s+(?:\[[^\]]*\]|\S+)\s+(\S+)/;
/** As deep as libpam goes. */
const DEEPEST = 16;

/**
 * The login of a web interface must not meet a line for codes by accident: it has no file of its own in pam.d, so that whatever stands in
 * common-auth reaches it, and it answers every question with the password.
 */
export const proxmoxWebCheck: Check = {
  name: 'proxmox-web',
  examine(machine) {
    return Promise.resolve(
      WEB_SERVICES.filter(({ program }) => machine.stat(program) !== undefined).flatMap(({ service }) =>
        examineService(machine, service),
      ),
    );
  },
};

function examineService(machine: Machine, service: string): Finding[] {
  const own = textOf(machine, service) === undefined ? 'other' : service;
  // A line of its own is there on purpose.
  return linesFor(machine, own, 0)
    .filter(({ file }) => file !== service)
    .map(({ file, line, module }) => ({
      what: `/etc/pam.d/${file}, line ${line}: ${module} there reaches the login of the web interface (${service}), which answers every question with the password: nobody with a code gets in.`,
      mend: `printf '%s\\n' 'auth required pam_unix.so' 'account required pam_unix.so' >/etc/pam.d/${service}`,
    }));
}

interface Found {
  readonly file: string;
  readonly line: number;
  readonly module: string;
}

function linesFor(machine: Machine, file: string, depth: number): Found[] {
  if (depth > DEEPEST) {
    return [];
  }
  return (textOf(machine, file) ?? '').split('\n').flatMap((line, index): Found[] => {
    const [, included] = INCLUDE.exec(line) ?? [];
    if (included !== undefined) {
      return linesFor(machine, baseName(included), depth + 1);
    }
    const [, module] = MODULE.exec(line) ?? [];
    const name = module === undefined ? undefined : baseName(module);
    return name !== undefined && CODE_MODULES.includes(name) ? [{ file, line: index + 1, module: name }] : [];
  });
}

function textOf(machine: Machine, file: string): string | undefined {
  return machine.read(`/etc/pam.d/${file}`)?.toString();
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
