import type { YubicoLine } from './yubico-line.ts';

/** The options of pam_google_authenticator on the line in pam.d: where a user's factor is, and how it is checked. */
export interface LookupOptions {
  /** `secret=`: the name of the file, with `~`, `${HOME}` and `${USER}`; undefined: `~/.google_authenticator`, after the store. */
  readonly secret: string | undefined;
  /** `user=`: the account, by name or number, whose file it is and who reads it, whoever logs in. */
  readonly user: string | undefined;
  /** Not `no_strict_owner`: the file must belong to the user. */
  readonly strictOwner: boolean;
  /** `allowed_perm=`: the permission bits that the file may have. */
  readonly allowedPermissions: number;
  /** `grace_period=`: for how many seconds after a code from the same host none is asked for; 0: never. */
  readonly gracePeriod: number;
  /** `allow_readonly`: whether somebody is let in though the file cannot be written. */
  readonly allowReadOnly: boolean;
  /** Not `no_increment_hotp`: a wrong counter-based code advances the counter. */
  readonly incrementCounter: boolean;
  /** Not `noskewadj`: a phone's different clock may be learnt. */
  readonly adjustSkew: boolean;
  /** The options of pam_yubico; undefined if the line has none. */
  readonly yubico: YubicoLine | undefined;
}

/** The defaults. A host that is not root always gets the defaults of all options that it could misuse. */
export const DEFAULT_LOOKUP: LookupOptions = {
  secret: undefined,
  user: undefined,
  strictOwner: true,
  allowedPermissions: 0o600,
  gracePeriod: 0,
  allowReadOnly: false,
  incrementCounter: true,
  adjustSkew: true,
  yubico: undefined,
};
