import { OWN_CLOCK } from './guarded-machine.ts';

/** A mistake on a healthy machine. */
export interface Mistake {
  readonly name: string;
  /** The check that finds it. */
  readonly check: string;
  /** What the finding says. */
  readonly says: RegExp;
  /** Lines of shell that make it. */
  readonly plant: string;
  /** Lines of shell that clean up side effects, after the mistake was fixed. */
  readonly after?: string;
  /** Whether it concerns pam.d, so that logins are tried after the fix. */
  readonly pam?: true;
}

const STATE = '/var/lib/pve-authenticator';
const CONFIG = '/etc/pve-authenticator/config.toml';
const LIB = '/usr/lib/pve-authenticator';
const MODULE = '/usr/lib/x86_64-linux-gnu/security/pam_pve_authenticator.so';
const DROP_IN = '/etc/ssh/sshd_config.d/00-pve-authenticator.conf';
const RESTART = 'systemctl restart pve-authenticator.service';
const OURS = 'auth required pam_pve_authenticator.so';
/** Debian's, before pam-auth-update writes more into it. */
const COMMON = `auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so`;
const OTHERS = `account required pam_permit.so
session required pam_permit.so`;

const say = (file: string, ...lines: readonly string[]): string =>
  `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >${file}`;
/** sshd's service file without pam_nologin and other modules that containers lack. */
const sshd = (...auth: readonly string[]): string => say('/etc/pam.d/sshd', ...auth, ...OTHERS.split('\n'));
const common = (...auth: readonly string[]): string => say('/etc/pam.d/common-auth', ...auth);

/** Lines of shell that make the files of pam.d, sshd's settings and config.toml as they should be. */
export const HEALTHY = `
${common(...COMMON.split('\n'))}
${sshd('@include common-auth', OURS)}
rm -f /etc/ssh/sshd_config.d/*
${say(
  DROP_IN,
  'UsePAM yes',
  'KbdInteractiveAuthentication yes',
  'PasswordAuthentication no',
  'AuthenticationMethods keyboard-interactive',
)}
${say(CONFIG, '[throttle]', 'enabled = false')}
chown root:pve-authenticator ${CONFIG}
chmod 640 ${CONFIG}`;

/** The mistakes of units, files and settings. */
const MACHINE: readonly Mistake[] = [
  {
    name: 'a socket is masked',
    check: 'units',
    says: /control\.socket is masked/,
    plant: 'systemctl mask --now pve-authenticator-control.socket',
  },
  {
    name: 'the socket is not enabled',
    check: 'units',
    says: /pve-authenticator\.socket is disabled: after the next boot/,
    plant: 'systemctl disable pve-authenticator.socket',
  },
  {
    name: 'the undo would not run at the next boot',
    check: 'units',
    says: /undo\.service is disabled: after a reboot/,
    plant: 'systemctl disable pve-authenticator-undo.service',
  },
  {
    name: 'a service was switched on, and nobody confirmed it',
    check: 'unconfirmed',
    says: /^login was switched on, and nobody confirmed it yet/,
    plant: 'pve-google-authenticator enable --no-wait --minutes 30 login',
  },
  {
    name: 'the daemon is stopped, with its sockets',
    check: 'daemon',
    says: /cannot be reached/,
    plant: 'systemctl stop pve-authenticator.socket',
  },
  {
    name: 'the daemon is an old one',
    check: 'daemon',
    says: /version 0\.0\.1, and this command is/,
    plant: `cp ${LIB}/package.json /root/package.json
      sed -i 's/"version": *"[^"]*"/"version": "0.0.1"/' ${LIB}/package.json
      ${RESTART}
      pve-google-authenticator list >/dev/null
      cp /root/package.json ${LIB}/package.json`,
  },
  {
    name: 'the module is not there',
    check: 'module',
    says: /There is no PAM module/,
    plant: `rm ${MODULE}`,
  },
  {
    name: 'the module is of another version',
    check: 'module',
    says: /is version 9/,
    plant: `sed -i 's/pve-authenticator version=[0-9]/pve-authenticator version=9/' ${MODULE}`,
  },
  {
    name: 'config.toml cannot be used, and the last good copy serves',
    check: 'config',
    says: /config\.toml:1: thottle.*The last good copy is in use/,
    plant: `${RESTART}; pve-google-authenticator list >/dev/null
      echo '[thottle]' >${CONFIG}
      ${RESTART}`,
  },
  {
    name: 'the very first config.toml cannot be used, so that the daemon never started with a good one',
    check: 'config',
    says: /config\.toml:1: thottle.*There is no good copy, so the daemon does not start/,
    plant: `systemctl stop pve-authenticator.service
      rm ${STATE}/config.last-good.toml
      echo '[thottle]' >${CONFIG}
      ${RESTART} || :
      pve-google-authenticator list >/dev/null || :`,
    after: `${HEALTHY}; systemctl daemon-reload; ${RESTART}; pve-google-authenticator list >/dev/null`,
  },
  {
    name: 'config.toml was changed, and the daemon not restarted',
    check: 'config',
    says: /was changed after the daemon read it/,
    plant: `echo '# changed' >>${CONFIG}`,
  },
  {
    name: 'config.toml can be read by everybody',
    check: 'modes',
    says: /config\.toml has the mode 644/,
    plant: `chmod 644 ${CONFIG}`,
  },
  {
    name: 'YubiKeys are looked up, but the daemon has no network',
    check: 'yubico',
    says: /has no network/,
    plant: `echo AAAAAAAAAAAAAAAAAAAAAAAAAAA= >/etc/pve-authenticator/yubico.key
      chown root:pve-authenticator /etc/pve-authenticator/yubico.key
      chmod 640 /etc/pve-authenticator/yubico.key
      printf '[yubico]\\nmode = "online"\\nid = 1\\nkey_file = "/etc/pve-authenticator/yubico.key"\\nurls = ["https://127.0.0.1/"]\\n' >>${CONFIG}
      ${RESTART}`,
    after: `${HEALTHY}; systemctl daemon-reload; ${RESTART}`,
  },
  {
    name: 'nobody knows the address of the validation server',
    check: 'yubico',
    says: /cannot be found \(validation\.example\)/,
    plant: `printf '[yubico]\\nmode = "online"\\nid = 1\\nkey_file = "/etc/pve-authenticator/yubico.key"\\nurls = ["https://validation.example/"]\\n' >>${CONFIG}
      systemctl daemon-reload
      ${RESTART}`,
    after: `${HEALTHY}; systemctl daemon-reload; ${RESTART}`,
  },
  {
    name: 'the key of the validation server cannot be read',
    check: 'modes',
    says: /yubico\.key, the key_file of config\.toml, has the mode 600/,
    plant: `chmod 600 /etc/pve-authenticator/yubico.key
      printf '[yubico]\\nmode = "online"\\nid = 1\\nkey_file = "/etc/pve-authenticator/yubico.key"\\nurls = ["https://127.0.0.1/"]\\n' >>${CONFIG}
      systemctl daemon-reload
      ${RESTART}`,
    after: `${HEALTHY}; systemctl daemon-reload; ${RESTART}`,
  },
  {
    name: 'nobody keeps the clock',
    check: 'clock',
    says: /not synchronised/,
    plant: `systemctl disable --now systemd-timesyncd.service; ${OWN_CLOCK}`,
  },
  {
    name: 'the machine is called localhost',
    check: 'hostname',
    says: /is called "localhost"/,
    plant: 'hostname localhost',
  },
  {
    name: 'a record was put back from a backup as root',
    check: 'modes',
    says: /alice\.json must belong to pve-authenticator/,
    plant: `chown root: ${STATE}/enrolments/alice.json`,
  },
  {
    name: 'the state directory is open to everybody',
    check: 'modes',
    says: /pve-authenticator must belong to pve-authenticator, and be closed to everybody else/,
    plant: `chmod 755 ${STATE}`,
  },
  {
    name: 'a socket is open to everybody',
    check: 'modes',
    says: /pam\.sock has the mode 666/,
    plant: 'chmod 666 /run/pve-authenticator/pam.sock',
  },
  {
    name: 'the module can be written by others',
    check: 'modes',
    says: /Users other than root can write .*pam_pve_authenticator\.so/,
    plant: `chmod 666 ${MODULE}`,
  },
  {
    name: 'the ledger is damaged',
    check: 'ledger',
    says: /is damaged/,
    plant: `systemctl stop pve-authenticator.service
      printf broken | dd of=${STATE}/ledger/snapshot conv=notrunc status=none
      systemctl start pve-authenticator.service`,
  },
  {
    name: 'the state directory is read-only',
    check: 'state',
    says: /is mounted read-only/,
    plant: `systemctl stop pve-authenticator.service
      cp -a ${STATE} /root/state
      mount -t tmpfs -o size=16M,mode=700 tmpfs ${STATE}
      cp -a /root/state/. ${STATE}
      chown pve-authenticator: ${STATE}
      mount -o remount,ro ${STATE}
      systemctl start pve-authenticator.service`,
    after: `systemctl stop pve-authenticator.service; umount ${STATE}; rm -r /root/state; systemctl start pve-authenticator.service`,
  },
  {
    name: 'the disk of the state directory is full',
    check: 'state',
    says: /The disk of \/var\/lib\/pve-authenticator \(\S+\) is full \(\d+ KiB left\): .* To free some space safely/,
    plant: `systemctl stop pve-authenticator.service
      mkdir -p /mnt/small
      mount -t tmpfs -o size=32M tmpfs /mnt/small
      cp -a ${STATE} /mnt/small/state
      mkdir /mnt/small/archives
      mount --bind /mnt/small/state ${STATE}
      mount --bind /mnt/small/archives /var/cache/apt/archives
      head -c 64M /dev/zero >/var/cache/apt/archives/large.deb 2>/dev/null || :
      systemctl start pve-authenticator.service`,
    after: `systemctl stop pve-authenticator.service; umount ${STATE} /var/cache/apt/archives /mnt/small
      systemctl start pve-authenticator.service`,
  },
  {
    name: 'the file system of the state directory is not mounted',
    check: 'state',
    says: /\/var\/lib\/pve-authenticator of \/etc\/fstab is not mounted/,
    plant: `systemctl stop pve-authenticator.service
      mv ${STATE} /root/store
      install -d -m 700 -o pve-authenticator ${STATE}
      echo '/root/store ${STATE} none bind,noauto 0 0' >>/etc/fstab
      systemctl start pve-authenticator.service`,
    after: `systemctl stop pve-authenticator.service; umount ${STATE}; rm -r ${STATE}; mv /root/store ${STATE}
      sed -i /root.store/d /etc/fstab; systemctl start pve-authenticator.service`,
  },
];

/** The mistakes of sshd. */
const SSHD: readonly Mistake[] = [
  ...(
    [
      ['UsePAM no', 'it does not ask PAM'],
      ['KbdInteractiveAuthentication no', 'it cannot ask for a code'],
      ['PasswordAuthentication yes', 'nobody can type a code that way'],
      ['AuthenticationMethods any', 'an SSH key alone lets people in'],
    ] as const
  ).map(([setting, why]): Mistake => ({
    name: `sshd: ${setting}`,
    check: 'sshd',
    says: new RegExp(`"${setting}".*${why}`),
    plant: `sed -i -e 's/^${setting.split(' ')[0]!} .*/#/' -e 's/^AuthenticationMethods/#/' ${DROP_IN}
        echo '${setting}' >/etc/ssh/sshd_config.d/50-mistake.conf`,
    after: HEALTHY,
  })),
  {
    name: 'sshd: the only method is switched off',
    check: 'sshd',
    says: /Disabled method/,
    plant: `sed -i 's/^Kbd.*/KbdInteractiveAuthentication no/' ${DROP_IN}`,
    after: HEALTHY,
  },
  {
    name: 'sshd: a setting is misspelt',
    check: 'sshd',
    says: /50-mistake\.conf: line 2: Bad configuration option/,
    plant: `printf '# mine\\nUsePaM yes\\nUsePMA yes\\n' | sed 2d >/etc/ssh/sshd_config.d/50-mistake.conf`,
    after: HEALTHY,
  },
  {
    name: 'sshd: a Match block lets somebody in with a key alone',
    check: 'sshd',
    says: /"AuthenticationMethods publickey" for alice, in a Match block: publickey lets people in/,
    plant: `printf 'Match User alice\\n\\tAuthenticationMethods publickey\\n' >/etc/ssh/sshd_config.d/50-mistake.conf`,
    after: HEALTHY,
  },
  {
    name: 'sshd: what is in sshd_config.d does not count',
    check: 'sshd',
    says: /does not include/,
    plant: 'sed -i.whole /^Include/d /etc/ssh/sshd_config',
    // The printed remedy includes only our files, but later mistakes need all of sshd_config.d.
    after: 'mv /etc/ssh/sshd_config.whole /etc/ssh/sshd_config',
  },
];

/** The mistakes of pam.d. */
const PAM: readonly Mistake[] = (
  [
    {
      name: 'a right password jumps over the line',
      check: 'order',
      says: /jumps over/,
      plant: sshd(
        'auth [success=2 default=ignore] pam_unix.so',
        OURS,
        'auth requisite pam_deny.so',
        'auth required pam_permit.so',
      ),
    },
    {
      name: 'on a node of Proxmox the line is in common-auth, and so in the way of the web interface',
      check: 'proxmox-web',
      says: /common-auth, line 4: .*applies to the web interface \(proxmox-ve-auth\)/,
      plant: `touch /usr/bin/pveproxy; ${common(...COMMON.split('\n'), OURS)}; ${sshd('@include common-auth')}`,
      after: 'rm /usr/bin/pveproxy /etc/pam.d/proxmox-ve-auth',
    },
    {
      name: 'the line stands where the jump of common-auth was meant to land',
      check: 'order',
      says: /jumps over/,
      plant: `${common(COMMON.split('\n')[0]!, OURS, ...COMMON.split('\n').slice(1))}; ${sshd('@include common-auth')}`,
    },
    {
      name: 'a right password ends the stack',
      check: 'order',
      says: /with "sufficient" the stack of sshd ends there/,
      plant: sshd('auth sufficient pam_unix.so', OURS),
    },
    {
      name: 'a right password ends the stack, and a wrong one is denied after it',
      check: 'order',
      says: /with "sufficient" the stack of sshd ends there/,
      plant: sshd('auth sufficient pam_unix.so', 'auth required pam_deny.so', OURS),
    },
    {
      name: 'a right password ends the stack in an included file',
      check: 'order',
      says: /common-auth, line 1: with "sufficient" the stack of sshd ends there/,
      plant: common('auth sufficient pam_unix.so', 'auth required pam_deny.so'),
    },
    {
      name: 'pam_permit ends the stack before the line',
      check: 'order',
      says: /sshd, line 2: with "sufficient"/,
      plant: sshd('@include common-auth', 'auth sufficient pam_permit.so', OURS),
    },
    {
      name: 'the code is asked for before the password',
      check: 'order',
      says: /before the password/,
      plant: sshd(OURS, '@include common-auth'),
    },
    {
      name: 'a code alone is enough',
      check: 'options',
      says: /a code alone lets people in/,
      plant: sshd('@include common-auth', OURS.replace('required', 'sufficient')),
    },
    {
      name: 'a wrong code is not minded',
      check: 'options',
      says: /a wrong code does not keep people out/,
      plant: sshd('@include common-auth', OURS.replace('required', 'optional')),
    },
    {
      name: 'an option is misspelt',
      check: 'options',
      says: /does not know "nulok"/,
      plant: sshd('@include common-auth', `${OURS} nulok`),
    },
    {
      name: 'the path of the module is wrong',
      check: 'options',
      says: /there is no \/lib\/security\/pam_pve_authenticator\.so/,
      plant: sshd('@include common-auth', 'auth required /lib/security/pam_pve_authenticator.so'),
    },
    {
      name: 'the module may be missing',
      check: 'options',
      says: /with the leading dash/,
      plant: sshd('@include common-auth', `-${OURS}`),
    },
    {
      name: 'the line is in common-auth and in the service',
      check: 'twice',
      says: /sshd asks for a code twice/,
      plant: common(...COMMON.split('\n'), OURS),
    },
    {
      name: 'pam_google_authenticator is still there',
      check: 'twice',
      says: /pam_google_authenticator\.so/,
      plant: sshd('@include common-auth', 'auth required pam_google_authenticator.so', OURS),
    },
    {
      name: 'nullok is left on',
      check: 'nullok',
      says: /"nullok" is still set/,
      plant: sshd('@include common-auth', `${OURS} nullok`),
    },
  ] satisfies readonly Mistake[]
).map((mistake) => ({ ...mistake, after: HEALTHY, pam: true }));

/** The mistakes of people. */
const PEOPLE: readonly Mistake[] = [
  {
    name: 'somebody has no factor',
    check: 'factors',
    says: /bob has no factor, and can no longer log in through sshd/,
    plant: "useradd --create-home --shell /bin/sh bob; echo 'bob:a password' | chpasswd",
  },
  {
    name: 'root has no factor',
    check: 'factors',
    says: /root has no factor, and can no longer log in/,
    // As Debian has it, SSH takes no password of root, so that root needs no factor there.
    plant: `mv ${STATE}/enrolments/root.json ${STATE}/enrolments/root.json.aside
      echo PermitRootLogin yes >/etc/ssh/sshd_config.d/50-root.conf`,
    after: 'rm /etc/ssh/sshd_config.d/50-root.conf',
  },
  {
    name: 'a ~/.google_authenticator is open to others',
    check: 'factors',
    says: /carol cannot log in where a code is needed.*permissions/,
    plant: `useradd --create-home --shell /bin/sh carol
      echo 'carol:a password' | chpasswd
      printf '%s\\n' JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP '" TOTP_AUTH' >/home/carol/.google_authenticator
      chmod 644 /home/carol/.google_authenticator
      chown carol: /home/carol/.google_authenticator`,
  },
  {
    name: 'a ~/.google_authenticator belongs to root',
    check: 'factors',
    says: /carol cannot log in where a code is needed/,
    plant: 'chown root: /home/carol/.google_authenticator; chmod 600 /home/carol/.google_authenticator',
  },
  {
    name: 'an account was made anew with another number',
    check: 'factors',
    says: /bob cannot log in where a code is needed.*uid/,
    plant: 'usermod --uid 4321 bob',
  },
];

export const MISTAKES: readonly Mistake[] = [...MACHINE, ...SSHD, ...PEOPLE, ...PAM];
