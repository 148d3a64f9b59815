import type { Argv } from './remedy.ts';

/* Where things are on a machine that this is installed on: as scripts/install and the units have it. */

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
/** What packages bring, and PAM reads where /etc/pam.d has no file of the name. */
export const VENDOR_PAM = '/usr/lib/pam.d';

/** So that the daemon is as its files are. */
export const RESTART: Argv = ['systemctl', 'restart', SERVICE];
/** The same for config.toml, from which a generator of systemd makes parts of the units. */
export const RELOAD: readonly Argv[] = [['systemctl', 'daemon-reload'], RESTART];
/** All sockets: those of a service that runs cannot be opened one by one. */
export const REOPEN: Argv = ['systemctl', 'restart', SOCKET];
/** Where systemctl writes which units are enabled and masked. */
export const UNITS = '/etc/systemd/system';
