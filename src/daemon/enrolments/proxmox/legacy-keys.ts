import { readOathKey } from '../../../formats/oath-key.ts';
import { decodeCrateBase32 } from './crate-base32.ts';
import { publicIdOf, type ProxmoxTotp, type ProxmoxYubico } from './tfa-config.ts';
import { trimBlanks } from './trim-blanks.ts';

/*
 * Keys as Proxmox VE kept them before version 7. Proxmox still reads both: those of user.cfg with Perl, which passes over what it does not
 * know, and those of an old tfa.cfg with Rust, which then rejects the whole file.
 */

/** Perl's split_list. */
const SEPARATORS_OF_PERL = /[,;\s]+/;
const SEPARATORS_OF_RUST = /[,; ]/;
const HEXADECIMAL = /^(?:[0-9a-f]{2})*$/i;
/** Lengths of keys that say by nothing else what they are. */
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
 * @returns one for each; of a line without a key one that nothing fits; undefined: there is a key that Proxmox cannot read
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
 * @returns one for each; of a line without a key one that nothing fits
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

/** As Proxmox itself names what it takes over. */
const OLD = { id: 'v1-entry', description: '<old version 1 entry>', created: 0, enabled: true } as const;

function oathEntry(secret: Buffer, { digits, period }: OathSettings): ProxmoxTotp {
  return { ...OLD, secret, algorithm: 'sha1', digits, period, lastCount: undefined };
}

function yubicoEntry(key: string): ProxmoxYubico {
  return { ...OLD, publicId: publicIdOf(key) };
}
