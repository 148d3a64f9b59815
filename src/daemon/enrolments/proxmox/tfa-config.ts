import type { Algorithm } from '../../../factors/hotp-value.ts';

/* The parsed form of tfa.cfg. */

/** A TOTP entry of Proxmox. */
export interface ProxmoxTotp {
  readonly id: string;
  readonly description: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly enabled: boolean;
  readonly secret: Buffer;
  readonly algorithm: Algorithm;
  readonly digits: number;
  /** Seconds. */
  readonly period: number;
  /** The last time step that Proxmox accepted; undefined: none yet. */
  readonly lastCount: number | undefined;
}

/** An entry of another kind. */
export interface ProxmoxEntry {
  readonly id: string;
  readonly description: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly enabled: boolean;
}

/** The public ids that Proxmox accepts: those from the factory. */
const PUBLIC_ID = /^[cbdefghijklnrtuv]{12}$/;

/** A Yubico OTP entry. */
export interface ProxmoxYubico extends ProxmoxEntry {
  /** Twelve modhex letters; undefined if the entry fits no OTP, although Proxmox then still asks for one. */
  readonly publicId: string | undefined;
}

/**
 * The public id in a Yubico OTP entry.
 *
 * @param text - the entry
 * @returns the id, or undefined if it is invalid
 */
export function publicIdOf(text: string): string | undefined {
  const publicId = text.toLowerCase();
  return PUBLIC_ID.test(publicId) ? publicId : undefined;
}

/** The entries of one user in tfa.cfg. */
export interface TfaUser {
  readonly totp: readonly ProxmoxTotp[];
  readonly u2f: readonly ProxmoxEntry[];
  readonly webauthn: readonly ProxmoxEntry[];
  readonly yubico: readonly ProxmoxYubico[];
  /** Undefined if there is no set of recovery keys. For an empty set, Proxmox still asks for a key. */
  readonly recovery: { readonly created: number; readonly left: number } | undefined;
  /** Too many wrong codes: no code is accepted until somebody unlocks the user. */
  readonly totpLocked: boolean;
  /** The end of the lock of all factors, in seconds since 1970; 0 if there never was one. */
  readonly lockedUntil: number;
}

/** tfa.cfg: the entries of each user, by `name@realm`. */
export type TfaConfig = ReadonlyMap<string, TfaUser>;

/** A user without an entry in tfa.cfg. */
export const NO_ENTRIES: TfaUser = {
  totp: [],
  u2f: [],
  webauthn: [],
  yubico: [],
  recovery: undefined,
  totpLocked: false,
  lockedUntil: 0,
};
