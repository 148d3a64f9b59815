/** Where things are. scripts/pve-authenticator-undo has the same names. */
export interface Places {
  /** The service files. */
  readonly pam: string;
  /** What packages bring, and PAM reads where /etc/pam.d has no file of the name. */
  readonly vendor: string;
  /** The saved files and the waiting change; only root may read them. */
  readonly state: string;
  /** Files that a reboot removes. */
  readonly run: string;
}

/**
 * The places of a machine.
 *
 * @param root - its root directory without a slash at the end: empty, but in tests
 * @returns the places
 */
export function placesBelow(root = ''): Places {
  return {
    pam: `${root}/etc/pam.d`,
    vendor: `${root}/usr/lib/pam.d`,
    state: `${root}/etc/pve-authenticator/switch`,
    run: `${root}/run/pve-authenticator-switch`,
  };
}
