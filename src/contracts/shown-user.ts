/** A factor in Proxmox, as it may be shown. */
export interface ShownEntry {
  readonly kind: 'totp' | 'yubico' | 'webauthn' | 'u2f' | 'recovery';
  /** The id in Proxmox. Those of old entries are not unique. */
  readonly id: string;
  readonly name: string;
  /** When it was added, ISO 8601. */
  readonly added: string;
  readonly enabled: boolean;
  /** Of recovery keys: how many are left. */
  readonly keysLeft?: number;
}

/** What a user has in Proxmox. */
export interface ShownUser {
  /** `name@realm`. */
  readonly userId: string;
  readonly entries: readonly ShownEntry[];
  /** Whether Proxmox has locked the codes of the user until somebody unlocks them. */
  readonly totpLocked: boolean;
  /** End of Proxmox's lock of all factors of the user, ISO 8601; null if there is no lock. */
  readonly lockedUntil: string | null;
}
