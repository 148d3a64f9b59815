/** Where things are. scripts/pve-authenticator-undo has the same names. */
export interface Places {
  /** The service files. */
  readonly pam: string;
  /** What packages bring, and PAM reads where /etc/pam.d has no file of the name. */
  readonly vendor: string;
  /** What is put back, and what waits to be confirmed: root's alone. */
  readonly state: string;
  /** What does not outlive a reboot. */
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
