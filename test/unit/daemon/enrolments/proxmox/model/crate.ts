import { isUtf8 } from 'node:buffer';
import { readJson, Unreadable, type Json } from './json-tokens.ts';

/*
 * A model of the Rust crate that reads tfa.cfg: whether each user would be asked. Types are as in its structs; any error rejects
 * the whole file.
 */

/** Whether Proxmox asks a user for anything in tfa.cfg. */
export type Challenges = ReadonlyMap<string, boolean>;

type Shape<T> = (value: Json) => T;
type Fields = ReadonlyMap<string, Json>;

const fail = (): never => {
  throw new Unreadable();
};
const must = (holds: boolean): void => {
  if (!holds) fail();
};

/** A struct: known names must not come twice; a strict struct allows no others. */
function struct(value: Json, known: readonly string[], strict: boolean): Fields {
  if (value === null || typeof value !== 'object' || !('members' in value)) return fail();
  const fields = new Map<string, Json>();
  for (const [name, member] of value.members) {
    if (known.includes(name)) {
      must(!fields.has(name));
      fields.set(name, member);
    } else {
      must(!strict);
    }
  }
  return fields;
}

const text: Shape<string> = (value) => (typeof value === 'string' ? value : fail());
const bool: Shape<boolean> = (value) => (typeof value === 'boolean' ? value : fail());
const list =
  <T>(shape: Shape<T>): Shape<T[]> =>
  (value) =>
    Array.isArray(value) ? (value as Json[]).map(shape) : fail();
const integer =
  (least: bigint, most: bigint): Shape<bigint> =>
  (value) => {
    const digits = value !== null && typeof value === 'object' && 'number' in value ? value.number : fail();
    // With a fraction, an exponent, or as minus zero it is a float.
    must(/^-?[0-9]+$/.test(digits) && digits !== '-0');
    must(BigInt(digits) >= least && BigInt(digits) <= most);
    return BigInt(digits);
  };
const i64 = integer(-(2n ** 63n), 2n ** 63n - 1n);
const required = <T>(fields: Fields, name: string, shape: Shape<T>): T =>
  shape(fields.get(name) ?? missing(fields, name));
const missing = (fields: Fields, name: string): null => (fields.has(name) ? null : fail());
const optional = <T>(fields: Fields, name: string, shape: Shape<T>, otherwise: T): T =>
  fields.has(name) ? shape(fields.get(name) as Json) : otherwise;

/** @returns whether it is switched on */
const entry =
  (content: Shape<unknown>): Shape<boolean> =>
  (value) => {
    const fields = struct(value, ['id', 'description', 'created', 'enable', 'entry'], true);
    required(fields, 'id', text);
    optional(fields, 'description', text, '');
    required(fields, 'created', i64);
    content(required(fields, 'entry', (whole) => whole));
    return optional(fields, 'enable', bool, true);
  };

const totp: Shape<void> = (value) => {
  if (typeof value === 'string') {
    uri(value);
    return;
  }
  const fields = struct(value, ['totp', 'last-count'], true);
  required(fields, 'totp', (of) => uri(text(of)));
  optional(fields, 'last-count', i64, 0n);
};

/** The bytes of a percent-encoded text; other characters stay. */
const percent = (encoded: string): Buffer =>
  Buffer.from(
    Buffer.from(encoded)
      .toString('latin1')
      .replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );

function uri(whole: string): void {
  must(whole.startsWith('otpauth://totp/') && whole.includes('?'));
  let secret = 0;
  for (const part of whole.slice(whole.indexOf('?') + 1).split('&')) {
    must(part.includes('='));
    const name = percent(part.slice(0, part.indexOf('=')));
    const value = percent(part.slice(part.indexOf('=') + 1));
    must(isUtf8(name));
    if (name.toString() === 'issuer') continue;
    must(isUtf8(value));
    const plain = value.toString();
    if (name.toString() === 'secret') secret = base32Length(plain);
    else if (name.toString() === 'digits')
      must(/^\+?[0-9]+$/.test(plain) && BigInt(plain.replace('+', '')) < 256n);
    else if (name.toString() === 'period')
      must(/^\+?[0-9]+$/.test(plain) && BigInt(plain.replace('+', '')) < 2n ** 64n);
    else if (name.toString() === 'algorithm') must(/^sha(?:1|256|512)$/i.test(plain));
    else fail();
  }
  must(secret > 0);
}

/** The number of bytes that the crate base32 decodes; `=` anywhere but at the end is a zero. */
function base32Length(encoded: string): number {
  must(/^[A-Za-z2-7=]*$/.test(encoded));
  return Math.floor((encoded.replace(/={1,6}$/, '').length * 5) / 8);
}

const u2f: Shape<void> = (value) => {
  const fields = struct(value, ['key', 'public-key'], false);
  const key = struct(
    required(fields, 'key', (of) => of),
    ['keyHandle', 'version'],
    false,
  );
  required(key, 'keyHandle', text);
  required(key, 'version', text);
  required(fields, 'public-key', text);
};

const webauthn: Shape<void> = (value) => {
  const fields = struct(value, ['cred_id', 'cred', 'counter'], false);
  required(fields, 'cred_id', text);
  required(fields, 'cred', (of) => struct(of, [], false));
  required(fields, 'counter', integer(0n, 2n ** 32n - 1n));
};

const recovery: Shape<boolean> = (value) => {
  if (value === null) return false;
  const fields = struct(value, ['secret', 'entries', 'created'], false);
  required(fields, 'secret', text);
  required(
    fields,
    'entries',
    list((of) => (of === null ? '' : text(of))),
  );
  required(fields, 'created', i64);
  return true;
};

const user: Shape<boolean> = (value) => {
  const names = ['totp', 'u2f', 'webauthn', 'recovery', 'yubico', 'totp-locked', 'tfa-locked-until'];
  const fields = struct(value, names, true);
  optional(fields, 'totp-locked', bool, false);
  optional(fields, 'tfa-locked-until', (of) => (of === null ? 0n : i64(of)), 0n);
  return [
    optional(fields, 'recovery', recovery, false),
    ...optional(fields, 'totp', list(entry(totp)), []),
    ...optional(fields, 'u2f', list(entry(u2f)), []),
    ...optional(fields, 'webauthn', list(entry(webauthn)), []),
    ...optional(fields, 'yubico', list(entry(text)), []),
  ].some((asked) => asked);
};

function newForm(whole: string): Challenges {
  const fields = struct(readJson(whole), ['u2f', 'webauthn', 'users'], false);
  for (const [name, needed] of [
    ['u2f', ['appid']],
    ['webauthn', ['rp', 'id']],
  ] as const) {
    const settings = fields.get(name) ?? null;
    for (const each of settings === null ? [] : needed) required(struct(settings, needed, false), each, text);
  }
  // A map, not a struct: if a name comes twice, the last one counts, but both must be readable.
  const users = fields.get('users');
  if (users === undefined) return new Map();
  if (users === null || typeof users !== 'object' || !('members' in users)) return fail();
  return new Map(users.members.map(([name, of]) => [name, user(of)]));
}

function oldForm(whole: string): Challenges {
  const users = new Map<string, boolean>();
  for (const line of whole.split('\n').map((each) => each.replaceAll(/^[\t\f\r ]+|[\t\f\r ]+$/g, ''))) {
    if (line === '' || line.startsWith('#')) continue;
    const [name = '', type, ...rest] = line.split(':');
    must(isUtf8(Buffer.from(name, 'latin1')));
    const data = rest.join(':');
    must(type !== undefined && rest.length > 0);
    const bytes = Buffer.from(data, 'base64');
    must(bytes.toString('base64') === data && isUtf8(bytes));
    users.set(Buffer.from(name, 'latin1').toString(), oldEntry(type!, readJson(bytes.toString())));
  }
  return users;
}

/** An object that Proxmox keeps as a map: if a name comes twice, the last one counts. */
function mapOf(value: Json): Map<string, Json> {
  return value === null || typeof value !== 'object' || !('members' in value)
    ? fail()
    : new Map(value.members);
}

function oldEntry(type: string, value: Json): boolean {
  const members = mapOf(value);
  const keys = (): string[] =>
    text(members.get('keys') ?? fail())
      .split(/[,; ]/)
      .map((key) => key.replaceAll(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, ''))
      .filter((key) => key !== '');
  switch (type) {
    case 'u2f':
      if (members.has('challenge')) return false;
      text(members.get('keyHandle') ?? fail());
      text(members.get('publicKey') ?? fail());
      return true;
    case 'yubico':
      return keys().length > 0;
    case 'oath': {
      const config = members.get('config') ?? fail();
      const settings = mapOf(config);
      for (const [name, most] of [
        ['step', 2n ** 64n - 1n],
        ['digits', 255n],
      ] as const) {
        const number = settings.get(name);
        if (typeof number === 'string') {
          must(/^\+?[0-9]+$/.test(number) && BigInt(number.replace('+', '')) <= most);
        } else if (number !== undefined) {
          integer(0n, most)(number);
        }
      }
      for (const key of keys()) {
        if (key.startsWith('v2-0x')) must(/^(?:[0-9a-f]{2})*$/i.test(key.slice(5)));
        else if (key.startsWith('v2-')) base32Length(key.slice(3));
        else if (key.length === 16) base32Length(key);
        else must(/^[0-9a-f]{40}$/i.test(key));
      }
      return keys().length > 0;
    }
    default:
      return fail();
  }
}

/**
 * Reads tfa.cfg as `PVE::RS::TFA->new` does: as JSON, and if that fails in the old form.
 *
 * @param bytes - the whole file
 * @returns who is asked
 * @throws Unreadable
 */
export function readTfa(bytes: Buffer): Challenges {
  if (bytes.length === 0) return new Map();
  try {
    must(isUtf8(bytes));
    return newForm(bytes.toString());
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return oldForm(bytes.toString('latin1'));
  }
}
