import { FormatError } from './format-error.ts';
import {
  booleanOf,
  fieldsOf,
  integerOf,
  listOf,
  membersOf,
  printable,
  textOf,
  type Fields,
} from './json-values.ts';
import { parseLegacyTfa } from './legacy-tfa.ts';
import { parseStrictJson } from './strict-json.ts';
import {
  publicIdOf,
  type ProxmoxEntry,
  type ProxmoxTotp,
  type ProxmoxYubico,
  type TfaConfig,
  type TfaUser,
} from './tfa-config.ts';
import { parseTotpUri } from './totp-uri.ts';

/* Parses tfa.cfg in JSON. */

/**
 * Reads tfa.cfg with the rules of Proxmox VE: as JSON, or in the old form.
 *
 * @param text - JSON, or the lines of Proxmox VE 5.4 to 6
 * @returns the entries of each user
 * @throws FormatError if Proxmox cannot read it either; it then refuses everybody
 */
export function parseTfaConfig(text: string): TfaConfig {
  // A file of the old form has no line that begins with a brace.
  return text.trimStart().startsWith('{') ? parseTfaJson(text) : parseLegacyTfa(text);
}

/**
 * Reads the JSON of tfa.cfg, or the tfa.json of a Backup Server, with the rules of proxmox-tfa: an unknown name in a strict place
 * makes the whole file unusable, for Proxmox and for us.
 *
 * @param text - the whole file
 * @returns the entries of each user, whether anybody can have such a name or not
 * @throws FormatError when Proxmox could not read it either
 */
export function parseTfaJson(text: string): TfaConfig {
  const top = fieldsOf(parseStrictJson(text), 'the file', ['u2f', 'webauthn', 'users'], 'passed over');
  checkSettings(top, 'u2f', ['appid']);
  checkSettings(top, 'webauthn', ['rp', 'id']);
  const users = new Map<string, TfaUser>();
  // If a user is named twice, Proxmox uses the last entry, but parses both.
  for (const [userId, user] of top.has('users') ? membersOf(top.get('users'), 'users') : []) {
    users.set(userId, userOf(user, `users.${printable(userId)}`));
  }
  return users;
}

/** Settings of the server: Proxmox VE keeps them elsewhere, a Backup Server here. */
function checkSettings(top: Fields, name: string, needed: readonly string[]): void {
  const settings = top.get(name) ?? null;
  if (settings !== null) {
    const fields = fieldsOf(settings, name, needed, 'passed over');
    needed.forEach((each) => textOf(fields.get(each), `${name}.${each}`));
  }
}

const USER_FIELDS = ['totp', 'u2f', 'webauthn', 'recovery', 'yubico', 'totp-locked', 'tfa-locked-until'];

function userOf(value: unknown, place: string): TfaUser {
  const fields = fieldsOf(value, place, USER_FIELDS);
  const each = <T>(name: string, entry: (element: unknown, place: string) => T): T[] =>
    listOf(fields.has(name) ? fields.get(name) : [], `${place}.${name}`).map((element, index) =>
      entry(element, `${place}.${name}[${index}]`),
    );
  const recovery = fields.get('recovery') ?? undefined;
  return {
    totp: each('totp', totpOf),
    u2f: each('u2f', u2fOf),
    webauthn: each('webauthn', webauthnOf),
    yubico: each('yubico', yubicoOf),
    recovery: recovery === undefined ? undefined : recoveryOf(recovery, `${place}.recovery`),
    totpLocked: fields.has('totp-locked') && booleanOf(fields.get('totp-locked'), `${place}.totp-locked`),
    lockedUntil: integerOf(fields.get('tfa-locked-until') ?? 0n, `${place}.tfa-locked-until`),
  };
}

/** What all entries have, and the entry itself. */
function entryOf(value: unknown, place: string): { readonly info: ProxmoxEntry; readonly entry: unknown } {
  const fields = fieldsOf(value, place, ['id', 'description', 'created', 'enable', 'entry']);
  return {
    info: {
      id: textOf(fields.get('id'), `${place}.id`),
      description: fields.has('description') ? textOf(fields.get('description'), `${place}.description`) : '',
      created: integerOf(fields.get('created'), `${place}.created`),
      enabled: !fields.has('enable') || booleanOf(fields.get('enable'), `${place}.enable`),
    },
    entry: fields.get('entry'),
  };
}

function totpOf(value: unknown, place: string): ProxmoxTotp {
  const { info, entry } = entryOf(value, place);
  const at = `${place}.entry`;
  // The bare URI, as long as the entry was never used.
  if (typeof entry === 'string') {
    return { ...info, ...parseTotpUri(entry, at), lastCount: undefined };
  }
  const fields = fieldsOf(entry, at, ['totp', 'last-count']);
  const uri = parseTotpUri(textOf(fields.get('totp'), `${at}.totp`), `${at}.totp`);
  const count = fields.has('last-count') ? integerOf(fields.get('last-count'), `${at}.last-count`) : -1;
  return { ...info, ...uri, lastCount: count < 0 ? undefined : count };
}

function yubicoOf(value: unknown, place: string): ProxmoxYubico {
  const { info, entry } = entryOf(value, place);
  return { ...info, publicId: publicIdOf(textOf(entry, `${place}.entry`)) };
}

/** Keys for browsers. It only matters that they exist, and that Proxmox can read them. */
function u2fOf(value: unknown, place: string): ProxmoxEntry {
  const { info, entry } = entryOf(value, place);
  const fields = fieldsOf(entry, `${place}.entry`, ['key', 'public-key'], 'passed over');
  const key = fieldsOf(fields.get('key'), `${place}.entry.key`, ['keyHandle', 'version'], 'passed over');
  textOf(key.get('keyHandle'), `${place}.entry.key.keyHandle`);
  textOf(key.get('version'), `${place}.entry.key.version`);
  textOf(fields.get('public-key'), `${place}.entry.public-key`);
  return info;
}

const MOST_SIGNATURES = 2 ** 32 - 1;

function webauthnOf(value: unknown, place: string): ProxmoxEntry {
  const { info, entry } = entryOf(value, place);
  const fields = fieldsOf(entry, `${place}.entry`, ['cred_id', 'cred', 'counter'], 'passed over');
  textOf(fields.get('cred_id'), `${place}.entry.cred_id`);
  membersOf(fields.get('cred'), `${place}.entry.cred`);
  const counter = integerOf(fields.get('counter'), `${place}.entry.counter`);
  if (counter < 0 || counter > MOST_SIGNATURES) {
    throw new FormatError(`${place}.entry.counter`, 'it is out of range');
  }
  return info;
}

function recoveryOf(value: unknown, place: string): TfaUser['recovery'] {
  const fields = fieldsOf(value, place, ['secret', 'entries', 'created'], 'passed over');
  textOf(fields.get('secret'), `${place}.secret`);
  const entries = listOf(fields.get('entries'), `${place}.entries`);
  const left = entries.filter(
    (entry, index) => entry !== null && textOf(entry, `${place}.entries[${index}]`) !== '',
  );
  return { created: integerOf(fields.get('created'), `${place}.created`), left: left.length };
}
