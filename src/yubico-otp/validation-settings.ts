import type { Route } from './tls-channel.ts';

/** The address of YubiCloud. */
export const YUBICLOUD = 'https://api.yubico.com/wsapi/2.0/verify';
/** How long one validation may take in all, in milliseconds. */
export const MAX_DEADLINE_MS = 10_000;
/** The most servers to ask about one OTP. */
export const MAX_SERVERS = 10;

const CLIENT_ID = /^[1-9]\d{0,9}$/;

/** Who validates OTPs, and as whose client we ask. */
export interface ValidationSettings extends Route {
  /** The client's number at the servers, 1 to 10 digits. */
  readonly clientId: string;
  /** The secret that signs requests and answers: the "API key", decoded from base64. */
  readonly apiKey: Buffer;
  /** The servers' addresses, https only, 1 to 10. All are asked at once. */
  readonly servers: readonly URL[];
  /** The least share of a pool's servers that must know of the OTP, 1 to 100 per cent; undefined: the server's own policy. */
  readonly syncLevel: number | undefined;
  /** How long one validation may take in all, in milliseconds, at most {@link MAX_DEADLINE_MS}. */
  readonly deadlineMs: number;
}

/**
 * Checks settings before they are used, so that a mistake in them shows at once and not at a login.
 *
 * @param settings - the settings
 * @throws RangeError for what the protocol does not allow; TypeError for an address that is not of the right kind
 */
export function assertValidationSettings(settings: ValidationSettings): void {
  const { clientId, apiKey, servers, proxy, syncLevel, deadlineMs } = settings;
  if (!CLIENT_ID.test(clientId)) {
    throw new RangeError('The client id must be a number of 1 to 10 digits');
  }
  if (apiKey.length === 0) {
    throw new RangeError('The API key must not be empty: without it, anybody could sign answers');
  }
  if (servers.length === 0 || servers.length > MAX_SERVERS) {
    throw new RangeError(`There must be 1 to ${MAX_SERVERS} servers`);
  }
  if (servers.some(({ protocol }) => protocol !== 'https:')) {
    throw new TypeError('The address of a server must begin with https:');
  }
  if (servers.some(({ search, hash, username, password }) => search + hash + username + password !== '')) {
    throw new TypeError('The address of a server must have no query, fragment or user name');
  }
  if (proxy !== undefined && proxy.protocol !== 'http:') {
    throw new TypeError('The address of the proxy must begin with http:');
  }
  if (syncLevel !== undefined && !(Number.isInteger(syncLevel) && syncLevel >= 1 && syncLevel <= 100)) {
    throw new RangeError('The sync level must be 1 to 100 per cent');
  }
  if (!(deadlineMs > 0 && deadlineMs <= MAX_DEADLINE_MS)) {
    throw new RangeError(`The deadline must be at most ${MAX_DEADLINE_MS} ms`);
  }
}
