import { allSteps, baseName, type Entry, type Step } from './stack.ts';

/* The behaviour of PAM modules, as far as it decides the place of our line. */

/** The module, as pam.d names it. */
export const MODULE = 'pam_pve_authenticator.so';
/** Modules of others that ask for a code. */
const OTHER_CODE_MODULES: ReadonlySet<string> = new Set([
  'pam_google_authenticator.so',
  'pam_oath.so',
  'pam_yubico.so',
]);
/** Modules that ask for the first factor. */
const PASSWORD_MODULES = new Set([
  ...['pam_unix.so', 'pam_unix2.so', 'pam_pwdfile.so', 'pam_userdb.so', 'pam_systemd_home.so'],
  ...['pam_sss.so', 'pam_ldap.so', 'pam_winbind.so', 'pam_krb5.so', 'pam_radius_auth.so'],
]);

/** Modules that only state conditions. Exemptions by them are on purpose. */
const CONDITIONS = new Set([
  ...['pam_succeed_if.so', 'pam_rootok.so', 'pam_listfile.so', 'pam_access.so', 'pam_wheel.so'],
  ...[
    'pam_localuser.so',
    'pam_usertype.so',
    'pam_time.so',
    'pam_securetty.so',
    'pam_shells.so',
    'pam_nologin.so',
  ],
]);
/** Modules that always return the same. */
const CONSTANT: Readonly<Record<string, readonly string[]>> = {
  'pam_permit.so': ['success'],
  'pam_deny.so': ['auth_err'],
  ...Object.fromEntries(
    ['env', 'faildelay', 'group', 'issue', 'motd', 'warn'].map((name) => [`pam_${name}.so`, ['ignore']]),
  ),
  'pam_nologin.so': ['ignore', 'auth_err'],
};

/**
 * Whether a step asks for the first factor.
 *
 * @param step - of a stack
 * @returns whether its module does, or one that is in a substack
 */
export function asksForPassword(step: Step): boolean {
  return allSteps([step]).some(({ entry }) => PASSWORD_MODULES.has(baseName(entry.module)));
}

/**
 * Whether a line runs a module that asks for a code, ours or another one.
 *
 * @param entry - the line
 * @returns whether it does
 */
export function asksForCode({ module }: Entry): boolean {
  const name = baseName(module);
  return name === MODULE || OTHER_CODE_MODULES.has(name);
}

/**
 * Whether a line only states a condition.
 *
 * @param entry - the line
 * @returns whether its module is of that kind
 */
export function isCondition({ module }: Entry): boolean {
  return CONDITIONS.has(baseName(module));
}

/**
 * The values that a module may return for an existing user.
 *
 * @param entry - its line
 * @returns names of values without PAM_; for an unknown module, one value for each different action
 */
export function valuesOf(entry: Entry): readonly string[] {
  const name = baseName(entry.module);
  if (name === MODULE || PASSWORD_MODULES.has(name)) {
    return ['success', 'auth_err', 'user_unknown', 'authinfo_unavail'];
  }
  return CONSTANT[name] ?? ['success', 'auth_err', 'ignore'];
}
