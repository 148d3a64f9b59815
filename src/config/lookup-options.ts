import type { YubicoLine } from './yubico-line.ts';

/** What the line in pam.d says about where a user's factor is, and how it is checked: pam_google_authenticator's options. */
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
  /** Not `no_increment_hotp`: a wrong counter-based code moves the counter on. */
  readonly incrementCounter: boolean;
  /** Not `noskewadj`: a phone whose clock differs may be got used to. */
  readonly adjustSkew: boolean;
  /** What the options of pam_yubico say; undefined: the line has none of them. */
  readonly yubico: YubicoLine | undefined;
}

/** What holds when nothing is said, and what a host that is not root gets in any case as far as it could harm. */
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
