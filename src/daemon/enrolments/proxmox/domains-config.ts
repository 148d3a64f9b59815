import { parseRealmTfa, type RealmTfa } from './realm-tfa.ts';

/** A realm of domains.cfg. */
export interface Realm {
  /** Undefined: each user decides. */
  readonly tfa: RealmTfa | undefined;
  /** Whether `Alice` and `alice` are two users. */
  readonly caseSensitive: boolean;
}

/** domains.cfg: the realms by name. */
export type DomainsConfig = ReadonlyMap<string, Realm>;

/* Perl's \s. JavaScript's \s matches more characters. */
const COMMENT = /^[\t-\r ]*#/;
const PROPERTY = /^[\t-\r ]+([^\t-\r ]+)([^]*)$/;
const BLANKS = /[\t-\r ]+/;
const REALM = /^[A-Za-z][A-Za-z0-9.\-_]+$/;
/** Types of realms without a setting `case-sensitive`. */
const OWN_TYPES = ['pam', 'pve'];
const TYPES = [...OWN_TYPES, 'ad', 'ldap', 'openid'];
/** Lines that are false in Perl. Only these end a section. */
const ENDS = ['', '0'];
const PLAIN: Realm = { tfa: undefined, caseSensitive: true };

/**
 * Reads domains.cfg line by line as Proxmox's PVE::SectionConfig does: a line of blanks does not end a section, and inside a
 * section no new one begins. So in a file with CR LF, everything belongs to the first realm.
 *
 * @param text - the whole file
 * @returns the realms; `pam` and `pve` are always there
 */
export function parseDomainsConfig(text: string): DomainsConfig {
  const realms = new Map<string, Realm>([
    ['pve', PLAIN],
    ['pam', PLAIN],
  ]);
  for (const { type, realm, properties } of sectionsOf(text)) {
    // Proxmox ignores a section of an unknown type. Its realm then does not exist, so its users cannot log in.
    if (TYPES.includes(type.toLowerCase()) && REALM.test(realm)) {
      realms.set(realm, realmOf(type.toLowerCase(), properties));
    }
  }
  return realms;
}

interface Section {
  readonly type: string;
  readonly realm: string;
  readonly properties: (readonly [name: string, value: string])[];
}

function sectionsOf(text: string): readonly Section[] {
  const sections: Section[] = [];
  let open: Section | undefined;
  for (const line of text.split('\n').filter((each) => !COMMENT.test(each))) {
    if (open === undefined) {
      open = headerOf(line);
      sections.push(...(open === undefined ? [] : [open]));
    } else if (ENDS.includes(line)) {
      open = undefined;
    } else {
      const [, name, rest = ''] = PROPERTY.exec(line) ?? [];
      if (name !== undefined) {
        open.properties.push([name, rest.trim()]);
      }
    }
  }
  return sections;
}

/**
 * Parses `TYPE: REALM`, the first line of a section. It splits words, because a regular expression takes forever for some long
 * lines.
 */
function headerOf(line: string): Section | undefined {
  const words = line.split(BLANKS);
  const [first = '', second, ...more] = words.at(-1) === '' ? words.slice(0, -1) : words;
  if (more.length > 0) {
    return undefined;
  }
  if (second !== undefined) {
    return first.length > 1 && first.endsWith(':')
      ? { type: first.slice(0, -1), realm: second, properties: [] }
      : undefined;
  }
  // Both are one word: the name comes after the last colon that is not at the end.
  const colon = first.lastIndexOf(':', first.length - 2);
  return colon > 0
    ? { type: first.slice(0, colon), realm: first.slice(colon + 1), properties: [] }
    : undefined;
}

/** If a setting comes twice, the first readable one counts. */
function realmOf(type: string, properties: Section['properties']): Realm {
  const wanted = properties.flatMap(([name, value]) => (name === 'tfa' ? [parseRealmTfa(value)] : []));
  const cased = properties.flatMap(([name, value]) => (name === 'case-sensitive' ? truth(value) : []));
  return {
    tfa: wanted.find(({ type }) => type !== 'unreadable') ?? wanted[0],
    caseSensitive: OWN_TYPES.includes(type) || (cased[0] ?? true),
  };
}

/** A boolean as Perl's PVE::JSONSchema reads it; undefined if it is not one. */
function truth(text: string): boolean[] {
  if (/^(?:|1|on|yes|true)$/i.test(text)) {
    return [true];
  }
  return /^(?:0|off|no|false)$/i.test(text) ? [false] : [];
}
