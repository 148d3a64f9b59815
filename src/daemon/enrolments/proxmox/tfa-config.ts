import type { Algorithm } from '../../../factors/hotp-value.ts';

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

/** The public ids that Proxmox knows: as the keys come from the factory. */
const PUBLIC_ID = /^[cbdefghijklnrtuv]{12}$/;

/** A Yubico OTP entry. */
export interface ProxmoxYubico extends ProxmoxEntry {
  /** Twelve modhex letters; undefined: no OTP has what stands there, but Proxmox asks for one all the same. */
  readonly publicId: string | undefined;
}

/**
 * The public id in a Yubico OTP entry.
 *
 * @param text - what stands there
 * @returns the id, or undefined: it is none
 */
export function publicIdOf(text: string): string | undefined {
  const publicId = text.toLowerCase();
  return PUBLIC_ID.test(publicId) ? publicId : undefined;
}

/** What one user has in tfa.cfg. */
export interface TfaUser {
  readonly totp: readonly ProxmoxTotp[];
  readonly u2f: readonly ProxmoxEntry[];
  readonly webauthn: readonly ProxmoxEntry[];
  readonly yubico: readonly ProxmoxYubico[];
  /** Undefined: there is no set of recovery keys. An empty set is not the same: Proxmox still asks for one of its keys. */
  readonly recovery: { readonly created: number; readonly left: number } | undefined;
  /** Too many wrong codes: no code is accepted until somebody unlocks the user. */
  readonly totpLocked: boolean;
  /** Until when nothing is accepted, in seconds since 1970; 0: it never was. */
  readonly lockedUntil: number;
}

/** tfa.cfg: what each user has, by `name@realm`. */
export type TfaConfig = ReadonlyMap<string, TfaUser>;

/** Whoever has no entry in tfa.cfg. */
export const NO_ENTRIES: TfaUser = {
  totp: [],
  u2f: [],
  webauthn: [],
  yubico: [],
  recovery: undefined,
  totpLocked: false,
  lockedUntil: 0,
};
