/*
 * What the command and the daemon say to each other through control.sock: HTTP/1.1, JSON bodies. docs/protocol.md is about the
 * other socket; this one is private to the two programs of one version.
 */

/** Adds a factor: POST /v1/users/USER/factors. What is left out is as phones expect it. */
export type AddRequest =
  | (TokenRequest & {
      readonly kind: 'totp';
      /** Length of a time step in seconds, 15 to 120. */
      readonly period?: number | undefined;
    })
  | (TokenRequest & { readonly kind: 'hotp' })
  | { readonly kind: 'recovery' };

/** What tokens have in common. */
interface TokenRequest {
  /** A name for the device: letters, digits and `._@-`, at most 32. */
  readonly name?: string | undefined;
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512' | undefined;
  readonly digits?: 6 | 7 | 8 | undefined;
}

/** A factor without its secret. */
export interface FactorView {
  readonly id: string;
  readonly kind: 'totp' | 'hotp' | 'recovery' | 'google-authenticator';
  readonly name: string;
  /** When it was added, ISO 8601. */
  readonly added: string;
  /** When a code of it last let somebody in, ISO 8601; null: never. */
  readonly lastUsed: string | null;
  /** Of an imported file: what codes it takes beside scratch codes; left out: none. */
  readonly codes?: 'totp' | 'hotp';
  /** Of TOTP and HOTP. */
  readonly algorithm?: 'sha1' | 'sha256' | 'sha512';
  readonly digits?: 6 | 7 | 8;
  /** Of TOTP: seconds. */
  readonly period?: number;
  /** Of recovery codes and scratch codes: how many are left. */
  readonly codesLeft?: number;
}

/** The answer to {@link AddRequest}: the only time that what it holds is shown. */
export interface AddedFactor {
  readonly user: string;
  readonly factor: FactorView;
  /** Of TOTP and HOTP: base32. */
  readonly secret?: string;
  /** Of TOTP and HOTP: otpauth:// URI for the QR code. */
  readonly uri?: string;
  /** Of recovery codes: `XXXX-XXXX-XXXX-XXXX`. */
  readonly codes?: readonly string[];
}

/** Takes a file of pam_google_authenticator into the store: POST /v1/users/USER/import. */
export interface ImportRequest {
  /** The file in base64: a secret. */
  readonly file: string;
  /** Whether an imported file with another secret may go for it. */
  readonly replace?: boolean | undefined;
}

/** The answer to {@link ImportRequest}. */
export interface Imported {
  readonly user: string;
  readonly factor: FactorView;
  /** `added`: there was none before. `again`: one with the same secret. `replaced`: one with another secret, which is gone. */
  readonly outcome: 'added' | 'again' | 'replaced';
}

/** The answer to POST /v1/users/USER/export. With the same body, POST /v1/users/USER/export/remove takes it out of the store. */
export interface ExportedFile {
  readonly user: string;
  /** The file in base64: a secret. */
  readonly file: string;
}

/** The answer to POST /v1/ledger/repair. */
export interface Repaired {
  /** Whether there was something to repair, and it is sound now. */
  readonly repaired: boolean;
  readonly condition: 'sound' | 'in-trouble' | 'damaged';
}

/** What a user has enrolled: GET /v1/users/USER, and a list of them: GET /v1/users. */
export interface UserView {
  readonly user: string;
  readonly uid: number;
  readonly factors: readonly FactorView[];
  /** Why the record cannot be used; left out when it can. */
  readonly problem?: string;
}

/** The body of every answer that is not a success. */
export interface Refusal {
  readonly error: {
    readonly code: string;
    /** For the person: what is wrong and what to do. */
    readonly message: string;
  };
}

/** A new factor's time step, in seconds: shorter ones run out while typing, longer ones live too long when seen. */
export const MIN_NEW_PERIOD = 15;
export const MAX_NEW_PERIOD = 120;
