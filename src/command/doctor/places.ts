import type { Argv } from './remedy.ts';

/* Paths on an installed machine, as in scripts/install and the units. */

export const SERVICE = 'pve-authenticator.service';
export const SOCKET = 'pve-authenticator.socket';
export const READER = 'pve-authenticator-files.service';
export const READER_SOCKET = 'pve-authenticator-files.socket';
/** The daemon's user. */
export const OWNER = 'pve-authenticator';
export const RUNTIME = '/run/pve-authenticator';
export const STATE = '/var/lib/pve-authenticator';
export const SETTINGS = '/etc/pve-authenticator';
export const CONFIG = `${SETTINGS}/config.toml`;
export const LAST_GOOD = `${STATE}/config.last-good.toml`;
export const PAM = '/etc/pam.d';
/** Service files of packages, which PAM reads if /etc/pam.d has no file of the name. */
export const VENDOR_PAM = '/usr/lib/pam.d';

/** Makes the daemon read its files again. */
export const RESTART: Argv = ['systemctl', 'restart', SERVICE];
/** The same for config.toml, from which a generator of systemd makes parts of the units. */
export const RELOAD: readonly Argv[] = [['systemctl', 'daemon-reload'], RESTART];
/** All sockets, because systemd cannot open single sockets of a running service. */
export const REOPEN: Argv = ['systemctl', 'restart', SOCKET];
/** The directory in which systemctl records enabled and masked units. */
export const UNITS = '/etc/systemd/system';
