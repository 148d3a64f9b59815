/** The allowed names of services: no path, no hidden file, no option. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.+@-]{0,63}$/;

/**
 * The services of `enable --all`: people log in through them, and they can ask two questions one after the other. Others, such
 * as cups, samba or the Proxmox web UI, answer every question with the password; a code would lock their users out.
 */
export const DOORS: readonly string[] = [
  ...['sshd', 'login', 'remote', 'su', 'su-l', 'sudo', 'sudo-i', 'doas', 'polkit-1', 'cockpit'],
  ...['gdm-password', 'lightdm', 'sddm', 'xdm', 'xrdp-sesman'],
];

/** Root's console: with `--all`, root gets in there without a code. */
export const CONSOLE = 'login';

/**
 * Whether a text can be the name of a service.
 *
 * @param name - any text
 * @returns whether it can
 */
export function isServiceName(name: string): boolean {
  return NAME.test(name);
}

/**
 * Why a file of pam.d cannot be switched on as a service of its own.
 *
 * @param name - its name
 * @returns undefined if it can; else a sentence
 */
export function whyNoService(name: string): string | undefined {
  if (!isServiceName(name)) {
    return `${JSON.stringify(name)} is not the name of a service: it has letters, digits and _.+@-, and no slash`;
  }
  if (name.startsWith('common-') || name === 'other') {
    return `${name} is included by many services, and some of them cannot ask for a code. Name the services, or say --all`;
  }
  return undefined;
}

/** Services that cannot ask anybody, with the reason. */
const UNATTENDED: readonly (readonly [why: string, names: readonly string[]])[] = [
  ['runs jobs, and authenticates nobody', ['cron', 'crond', 'atd', 'systemd-user', 'runuser', 'runuser-l']],
  ['is for people who are logged in already', ['chsh', 'chfn', 'passwd', 'chpasswd', 'newusers']],
  [
    'answers each question with the password, so nobody could give a code',
    [
      'cups',
      'cups-daemon',
      'samba',
      'smbd',
      'dovecot',
      'imap',
      'pop3',
      'smtp',
      'vsftpd',
      'proftpd',
      'ppp',
      'vncserver',
    ],
  ],
  [
    'logs in without asking',
    [
      'lightdm-autologin',
      'lightdm-greeter',
      'gdm-autologin',
      'gdm-launch-environment',
      'sddm-autologin',
      'sddm-greeter',
    ],
  ],
];

/**
 * Why a service cannot be switched on by its name, whatever its file says.
 *
 * @param name - of the service
 * @returns undefined if it can; else a sentence
 */
export function whyNotGuarded(name: string): string | undefined {
  const why = UNATTENDED.find(([, names]) => names.includes(name))?.[0];
  return why === undefined
    ? whyNoService(name)
    : `${name} ${why}: it stays as it is. To ask for a code there all the same, write the line yourself: docs/guides/switch-on-and-off.md, "A line that you write by hand"`;
}
