import { readOathKey } from '../../../formats/oath-key.ts';
import { decodeCrateBase32 } from './crate-base32.ts';
import { publicIdOf, type ProxmoxTotp, type ProxmoxYubico } from './tfa-config.ts';
import { trimBlanks } from './trim-blanks.ts';

/*
 * Keys as Proxmox VE kept them before version 7. Proxmox still reads both. Perl reads those of user.cfg, and ignores unknown
 * forms. Rust reads those of an old tfa.cfg, and rejects the whole file for an unknown form.
 */

/** Perl's split_list. */
const SEPARATORS_OF_PERL = /[,;\s]+/;
const SEPARATORS_OF_RUST = /[,; ]/;
const HEXADECIMAL = /^(?:[0-9a-f]{2})*$/i;
/** Lengths of keys whose form only the length tells. */
const BASE32_CHARACTERS = 16;
const HEXADECIMAL_CHARACTERS = 40;

/** How the codes of a key are computed. */
export interface OathSettings {
  readonly digits: number;
  /** Seconds. */
  readonly period: number;
}

/**
 * TOTP entries of the keys of a user in user.cfg.
 *
 * @param keys - the field
 * @param settings - of the realm
 * @returns those whose form is known
 */
export function oathEntries(keys: string, settings: OathSettings): ProxmoxTotp[] {
  return keys.split(SEPARATORS_OF_PERL).flatMap((key) => {
    const secret = readOathKey(key);
    return secret === undefined ? [] : [oathEntry(secret, settings)];
  });
}

/**
 * TOTP entries of a line of the old tfa.cfg.
 *
 * @param keys - all keys of the line
 * @param settings - of the line
 * @returns one for each; for a line without a key, an entry that no code fits; undefined if Proxmox cannot read a key
 */
export function oldOathEntries(keys: string, settings: OathSettings): ProxmoxTotp[] | undefined {
  const secrets = oldKeys(keys).map(readOldOathKey);
  const known = secrets.filter((secret) => secret !== undefined);
  return known.length < secrets.length ? undefined : known.map((secret) => oathEntry(secret, settings));
}

/**
 * Yubico entries of keys.
 *
 * @param keys - the field of user.cfg
 * @returns one for each
 */
export function yubicoEntries(keys: string): ProxmoxYubico[] {
  return keys
    .split(SEPARATORS_OF_PERL)
    .filter((key) => key !== '')
    .map(yubicoEntry);
}

/**
 * Yubico entries of a line of the old tfa.cfg.
 *
 * @param keys - all keys of the line
 * @returns one for each; for a line without a key, an entry that no OTP fits
 */
export function oldYubicoEntries(keys: string): ProxmoxYubico[] {
  return oldKeys(keys).map(yubicoEntry);
}

function oldKeys(keys: string): string[] {
  const given = keys
    .split(SEPARATORS_OF_RUST)
    .map(trimBlanks)
    .filter((key) => key !== '');
  return given.length === 0 ? ['v2-'] : given;
}

function readOldOathKey(key: string): Buffer | undefined {
  if (key.startsWith('v2-0x')) {
    return readHexadecimal(key.slice('v2-0x'.length));
  }
  if (key.startsWith('v2-')) {
    return decodeCrateBase32(key.slice('v2-'.length));
  }
  if (key.length === BASE32_CHARACTERS) {
    return decodeCrateBase32(key);
  }
  return key.length === HEXADECIMAL_CHARACTERS ? readHexadecimal(key) : undefined;
}

function readHexadecimal(text: string): Buffer | undefined {
  return HEXADECIMAL.test(text) ? Buffer.from(text, 'hex') : undefined;
}

/** The name that Proxmox itself gives to converted entries. */
const OLD = { id: 'v1-entry', description: '<old version 1 entry>', created: 0, enabled: true } as const;

function oathEntry(secret: Buffer, { digits, period }: OathSettings): ProxmoxTotp {
  return { ...OLD, secret, algorithm: 'sha1', digits, period, lastCount: undefined };
}

function yubicoEntry(key: string): ProxmoxYubico {
  return { ...OLD, publicId: publicIdOf(key) };
}
