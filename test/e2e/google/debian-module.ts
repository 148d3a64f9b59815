import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { compile } from '../harness/compile.ts';
import { run, runWell } from '../harness/run.ts';
import type { Visit, Visited } from './host.ts';
import type { Module } from './module.ts';
import type { Reason } from './scenario.ts';

const FILE = 'pam_google_authenticator.so';
const PACKAGE = 'libpam-google-authenticator';
/** The name of the release by its date. */
const RELEASES: Readonly<Record<string, string>> = { '20191231': '1.08' };

/** The module of Debian's package. */
export interface DebianModule extends Module {
  /** Its release, such as 1.08. */
  readonly version: string;
}

/** Its log texts for our reasons: all of its lines except debug lines. */
const SAYS: Readonly<Record<Reason, RegExp>> = {
  accepted: /^Accepted google_authenticator for \S+$/m,
  'grace-period': /^within grace period: "\S+"$/m,
  'wrong-code': /^Invalid verification code for \S+$/,
  'no-code': /^(Did not receive verification code from user\n)?Invalid verification code for \S+$/,
  'clock-differs': /^Invalid verification code for \S+$/,
  'code-already-used': /^Trying to reuse a previously used time-based code/,
  'too-many-tries': /^Too many concurrent login attempts/,
  'not-enrolled':
    /^(Failed to read .*\n)?No secret configured for user \S+, asking for code anyway\.\nInvalid/,
  'user-unknown': /^user\("\S+"\) not found\nNo secret configured/,
  'record-unusable':
    /^(Failed to read |Could not read |Secret file |Invalid file |Could not find a valid BASE32 |Invalid (RATE_LIMIT|WINDOW_SIZE|STEP_SIZE) |Invalid list of timestamps |Home dir in )/,
  'bad-option':
    /^(Unrecognized option |Invalid permissions in setting |Invalid value in setting |Cannot look up user id |Failed to look up user )/,
  cancelled: /^(Did not receive verification code from user\n)+Invalid/,
  'not-recorded': /^(Failed to create tempfile |Failed to update secret file |Secret file .* changed )/m,
  // It has no such case.
  unavailable: /^$/,
};

/**
 * Where Debian has PAM modules.
 *
 * @returns the directory, if the package's module is there
 */
export async function securityDirectory(): Promise<string | undefined> {
  const multiarch = (await runWell(['cc', '-print-multiarch'])).trim();
  return ['/usr/lib', '/lib']
    .map((lib) => `${lib}/${multiarch}/security`)
    .find((directory) => existsSync(`${directory}/${FILE}`));
}

/**
 * The module of Debian's package, as it is installed.
 *
 * @param dir - a directory for its services
 * @returns the module, and which release it is; undefined when it is not here
 */
export async function debianModule(dir: string): Promise<DebianModule | undefined> {
  const directory = await securityDirectory();
  if (directory === undefined) {
    return undefined;
  }
  const { stdout } = await run(['dpkg-query', '-W', '-f', '${Version}', PACKAGE]);
  const release = /^[0-9.]+/.exec(stdout)?.[0] ?? 'unknown';
  const confdir = `${dir}/google-pam.d`;
  mkdirSync(confdir);
  // Without it libpam complains, in the same log.
  writeFileSync(`${confdir}/other`, 'auth required pam_deny.so\n');
  const toStderr = `${dir}/syslog-to-stderr.so`;
  await compile('test/e2e/google/syslog-to-stderr.c', toStderr, '-fPIC', '-shared');
  return {
    confdir,
    line: `${directory}/${FILE}`,
    version: RELEASES[release] ?? release,
    environment: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', LD_PRELOAD: toStderr },
    logged: (reason: Reason, says: RegExp, _: Visit, { said }: Visited): string => {
      const text = said.filter((line) => !line.startsWith('debug: ')).join('\n');
      return SAYS[reason].test(text) && says.test(text) ? reason : text;
    },
  };
}
