export { MAX_PUBLIC_ID_LENGTH, MAX_SERVERS } from '../yubico-otp/index.ts';

/** pam_yubico's options on a line in pam.d. Left-out options come from config.toml. */
export interface YubicoLine {
  /** `id=`: the client's number at the servers. */
  readonly clientId?: string | undefined;
  /** `key=`: the API key, base64. It is as secret as the file in pam.d is. */
  readonly key?: string | undefined;
  /** `urllist=`: the servers. */
  readonly urls?: readonly string[] | undefined;
  /** `cainfo=`: a file with the authorities to trust, PEM. */
  readonly ca?: string | undefined;
  /** `proxy=`: an HTTP proxy. */
  readonly proxy?: string | undefined;
  /** `authfile=`: the mapping of users to keys; undefined: a file in each user's home, beside the store. */
  readonly authfile?: string | undefined;
  /** `token_id_length=`: letters of the keys' public ids; others in the file do not count. */
  readonly idLength: number;
}

/** The length of public ids where `token_id_length=` is not there: that of the factory. */
export const USUAL_ID_LENGTH = 12;
/** Where pam_yubico looks without `authfile=`. */
export const USER_MAPPING = '~/.yubico/authorized_yubikeys';
