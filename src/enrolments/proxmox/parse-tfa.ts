import { isUserId } from './user-id.ts';
import { FormatError } from './format-error.ts';
import { parseLegacyTfa } from './legacy-tfa.ts';
import { parseStrictJson } from './strict-json.ts';
import {
  PUBLIC_ID,
  type ProxmoxEntry,
  type ProxmoxTotp,
  type ProxmoxYubico,
  type TfaConfig,
  type TfaUser,
} from './tfa-config.ts';
import { parseTotpUri } from './totp-uri.ts';

/**
 * Reads tfa.cfg (or the tfa.json of a Backup Server), with the rules of proxmox-tfa: what Proxmox does not know at a place where it
 * wants to know everything makes the whole file unusable, for Proxmox and for us.
 *
 * @param text - JSON, or the lines of Proxmox VE 5.4 to 6
 * @returns what each user has
 * @throws FormatError
 */
export function parseTfaConfig(text: string): TfaConfig {
  // A file of the old form has no line that begins with a brace.
  return text.trimStart().startsWith('{') ? parseTfaJson(text) : parseLegacyTfa(text);
}

function parseTfaJson(text: string): TfaConfig {
  const top = objectOf(parseStrictJson(text), 'the file');
  const users = new Map<string, TfaUser>();
  const given = top.get('users');
  for (const [userId, user] of given === undefined ? [] : objectOf(given, 'users')) {
    const parsed = userOf(user, `users.${printable(userId)}`);
    // As Proxmox does on reading: nobody can have such a name.
    if (isUserId(userId)) {
      users.set(userId, parsed);
    }
  }
  return users;
}

/** A name from the file, fit for a message. */
function printable(name: string): string {
  return name.replaceAll(/[^\x21-\x7e]/g, '?').slice(0, 64);
}

type Fields = ReadonlyMap<string, unknown>;

const USER_FIELDS = ['totp', 'u2f', 'webauthn', 'recovery', 'yubico', 'totp-locked', 'tfa-locked-until'];

function userOf(value: unknown, place: string): TfaUser {
  const fields = objectOf(value, place, USER_FIELDS);
  const each = <T>(name: string, entry: (element: unknown, place: string) => T): T[] =>
    listOf(fields.get(name) ?? [], `${place}.${name}`).map((element, index) =>
      entry(element, `${place}.${name}[${index}]`),
    );
  const recovery = fields.get('recovery') ?? undefined;
  return {
    totp: each('totp', totpOf),
    u2f: each('u2f', opaqueOf),
    webauthn: each('webauthn', opaqueOf),
    yubico: each('yubico', yubicoOf),
    recovery: recovery === undefined ? undefined : recoveryOf(recovery, `${place}.recovery`),
    totpLocked: booleanOf(fields.get('totp-locked') ?? false, `${place}.totp-locked`),
    lockedUntil: integerOf(fields.get('tfa-locked-until') ?? 0, `${place}.tfa-locked-until`),
  };
}

/** What all entries have, and the entry itself. */
function entryOf(value: unknown, place: string): { readonly info: ProxmoxEntry; readonly entry: unknown } {
  const fields = objectOf(value, place, ['id', 'description', 'created', 'enable', 'entry']);
  return {
    info: {
      id: textOf(fields.get('id'), `${place}.id`),
      description: textOf(fields.get('description') ?? '', `${place}.description`),
      created: integerOf(fields.get('created'), `${place}.created`),
      enabled: booleanOf(fields.get('enable') ?? true, `${place}.enable`),
    },
    entry: fields.get('entry') ?? missing(`${place}.entry`),
  };
}

function totpOf(value: unknown, place: string): ProxmoxTotp {
  const { info, entry } = entryOf(value, place);
  const at = `${place}.entry`;
  // The bare URI, as long as the entry was never used.
  if (typeof entry === 'string') {
    return { ...info, ...parseTotpUri(entry, at), lastCount: undefined };
  }
  const fields = objectOf(entry, at, ['totp', 'last-count']);
  return {
    ...info,
    ...parseTotpUri(textOf(fields.get('totp'), `${at}.totp`), `${at}.totp`),
    lastCount: integerOf(fields.get('last-count') ?? missing(`${at}.last-count`), `${at}.last-count`),
  };
}

function yubicoOf(value: unknown, place: string): ProxmoxYubico {
  const { info, entry } = entryOf(value, place);
  const publicId = textOf(entry, `${place}.entry`).toLowerCase();
  // Proxmox compares texts: what is no public id never fits an OTP.
  return { ...info, publicId, enabled: info.enabled && PUBLIC_ID.test(publicId) };
}

/** Keys of a browser: only that they are there matters. */
function opaqueOf(value: unknown, place: string): ProxmoxEntry {
  const { info, entry } = entryOf(value, place);
  objectOf(entry, `${place}.entry`);
  return info;
}

function recoveryOf(value: unknown, place: string): TfaUser['recovery'] {
  const fields = objectOf(value, place, ['secret', 'entries', 'created']);
  textOf(fields.get('secret'), `${place}.secret`);
  const entries = listOf(fields.get('entries'), `${place}.entries`);
  const left = entries.filter(
    (entry, index) => entry !== null && textOf(entry, `${place}.entries[${index}]`) !== '',
  );
  return { created: integerOf(fields.get('created'), `${place}.created`), left: left.length };
}

function objectOf(value: unknown, place: string, known?: readonly string[]): Fields {
  if (!(value instanceof Map)) {
    throw new FormatError(place, value === undefined ? 'it is missing' : 'it is no object');
  }
  const fields: Fields = value;
  const unknown = known && [...fields.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FormatError(place, `it has "${printable(unknown)}", which Proxmox does not know`);
  }
  return fields;
}

function listOf(value: unknown, place: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(value, place, 'it is no list');
}

function textOf(value: unknown, place: string): string {
  return typeof value === 'string' ? value : wrong(value, place, 'it is no text');
}

function booleanOf(value: unknown, place: string): boolean {
  return typeof value === 'boolean' ? value : wrong(value, place, 'it is neither true nor false');
}

function integerOf(value: unknown, place: string): number {
  return Number.isSafeInteger(value) ? Number(value) : wrong(value, place, 'it is no whole number');
}

function wrong(value: unknown, place: string, what: string): never {
  throw new FormatError(place, value === undefined ? 'it is missing' : what);
}

function missing(place: string): never {
  throw new FormatError(place, 'it is missing');
}
