import { FormatError } from './format-error.ts';

/** What a realm wants of everybody. */
export type RealmTfa =
  | { readonly type: 'oath'; readonly digits: number; readonly step: number }
  | {
      readonly type: 'yubico';
      /** The client's number at the server, its key (base64, a secret) and address; undefined: not set. */
      readonly id: string | undefined;
      readonly key: string | undefined;
      readonly url: string | undefined;
    };

/** A realm of domains.cfg. */
export interface Realm {
  /** Undefined: each user decides. */
  readonly tfa: RealmTfa | undefined;
  /** Whether `Alice` and `alice` are two users. */
  readonly caseSensitive: boolean;
}

/** domains.cfg: the realms by name. */
export type DomainsConfig = ReadonlyMap<string, Realm>;

const PROPERTY = /^\s+(\S+)([^]*)$/;
const MAX_TFA_CHARACTERS = 128;
const DEFAULT_DIGITS = 6;
const DEFAULT_STEP = 30;
const DIGITS = { least: 6, most: 8 };
const STEP = { least: 10, most: 300 };
const KEYS = { oath: ['type', 'digits', 'step'], yubico: ['type', 'id', 'key', 'url'] } as const;

/**
 * Reads domains.cfg.
 *
 * @param text - the whole file
 * @returns the realms
 * @throws FormatError when what a realm wants cannot be understood: nothing must be taken for "nothing"
 */
export function parseDomainsConfig(text: string): DomainsConfig {
  const realms = new Map<string, Realm>();
  let realm: string | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    if (/^\s*#/.test(line)) {
      continue;
    }
    const named = realmNamedBy(line);
    if (named !== undefined) {
      realm = named;
      realms.set(named, { tfa: undefined, caseSensitive: true });
      continue;
    }
    const [, name, rest = ''] = PROPERTY.exec(line) ?? [];
    const value = rest.trim();
    const known = realm === undefined ? undefined : realms.get(realm);
    if (line.trim() === '') {
      realm = undefined;
    } else if (realm !== undefined && known !== undefined && name === 'tfa') {
      realms.set(realm, { ...known, tfa: parseRealmTfa(value, `line ${index + 1}: tfa`) });
    } else if (realm !== undefined && known !== undefined && name === 'case-sensitive') {
      realms.set(realm, { ...known, caseSensitive: !/^(?:0|no|off|false)$/i.test(value) });
    }
  }
  return realms;
}

/** Of `TYPE: REALM`, where a realm begins, the realm; by its words, because a regular expression takes forever for some long lines. */
function realmNamedBy(line: string): string | undefined {
  const [type = '', name, ...more] = line.trimEnd().split(/\s+/);
  if (more.length > 0) {
    return undefined;
  }
  if (name !== undefined) {
    return type.length > 1 && type.endsWith(':') ? name : undefined;
  }
  // Both in one word: the name is behind the last colon that is followed by something.
  const colon = type.lastIndexOf(':', type.length - 2);
  return colon > 0 ? type.slice(colon + 1) : undefined;
}

function parseRealmTfa(text: string, place: string): RealmTfa {
  if (text.length > MAX_TFA_CHARACTERS) {
    throw new FormatError(place, `it is longer than ${MAX_TFA_CHARACTERS} characters`);
  }
  const values = new Map<string, string>();
  for (const part of text.split(',').map((each) => each.trim())) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0));
    if (equals < 1 || values.has(name)) {
      throw new FormatError(place, equals < 1 ? 'a part has no "="' : `"${name}" comes twice`);
    }
    values.set(name, part.slice(equals + 1));
  }
  const type = values.get('type');
  if (type !== 'oath' && type !== 'yubico') {
    throw new FormatError(place, 'its type is neither oath nor yubico');
  }
  const known: readonly string[] = [...KEYS.oath, ...KEYS.yubico];
  const unknown = [...values.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new FormatError(place, 'it has a setting that Proxmox does not know');
  }
  if (type === 'yubico') {
    return { type, id: values.get('id'), key: values.get('key'), url: values.get('url') };
  }
  return {
    type,
    digits: numberIn(values.get('digits'), DIGITS, DEFAULT_DIGITS, `${place}: digits`),
    step: numberIn(values.get('step'), STEP, DEFAULT_STEP, `${place}: step`),
  };
}

function numberIn(
  text: string | undefined,
  { least, most }: { readonly least: number; readonly most: number },
  otherwise: number,
  place: string,
): number {
  const number = text === undefined ? otherwise : /^[0-9]{1,6}$/.test(text) ? Number(text) : NaN;
  if (!(number >= least && number <= most)) {
    throw new FormatError(place, `it must be ${least} to ${most}`);
  }
  return number;
}
