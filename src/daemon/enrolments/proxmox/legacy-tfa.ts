import { isUtf8 } from 'node:buffer';
import { FormatError } from './format-error.ts';
import { membersOf, textOf } from './json-values.ts';
import { oldOathEntries, oldYubicoEntries } from './legacy-keys.ts';
import { parseStrictJson } from './strict-json.ts';
import { NO_ENTRIES, type TfaConfig, type TfaUser } from './tfa-config.ts';
import { trimBlanks } from './trim-blanks.ts';

/* Parses tfa.cfg in the form of Proxmox VE 5.4 to 6. */

const LINE = /^([^:]*):([^:]*):([A-Za-z0-9+/]+={0,2})$/;
/** A byte that is no UTF-8. */
const HALF_A_PAIR = /\p{Surrogate}/u;
const DEFAULT_DIGITS = 6n;
const DEFAULT_STEP = 30n;
const MOST_DIGITS = 2n ** 8n - 1n;
const MOST_SECONDS = 2n ** 64n - 1n;

/**
 * Reads tfa.cfg as Proxmox VE 5.4 to 6 wrote it: a line `USER:TYPE:BASE64` for each user, with JSON in the base64.
 *
 * @param text - the whole file; an empty one is valid
 * @returns the entries of each user, even for impossible names
 * @throws FormatError with the line number, if Proxmox rejects the whole file
 */
export function parseLegacyTfa(text: string): TfaConfig {
  const users = new Map<string, TfaUser>();
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = trimBlanks(line);
    if (trimmed === '' || trimmed.startsWith('#')) {
      continue;
    }
    const place = `line ${index + 1}`;
    const [, userId, type, base64] = LINE.exec(trimmed) ?? [];
    if (userId === undefined || type === undefined || base64 === undefined) {
      throw new FormatError(place, 'it is neither JSON nor USER:TYPE:BASE64');
    }
    if (HALF_A_PAIR.test(userId)) {
      throw new FormatError(place, 'the user is not in UTF-8');
    }
    users.set(userId, userOf(type, base64, place));
  }
  return users;
}

/** An unfinished registration is dropped. */
function userOf(type: string, base64: string, place: string): TfaUser {
  const data = parsed(base64, place);
  const text = (name: string): string => textOf(data.get(name), `${place}: ${name}`);
  switch (type) {
    case 'oath': {
      const settings = new Map(membersOf(data.get('config'), `${place}: config`));
      const digits = numberOf(settings.get('digits') ?? DEFAULT_DIGITS, MOST_DIGITS, place);
      const period = numberOf(settings.get('step') ?? DEFAULT_STEP, MOST_SECONDS, place);
      const totp = oldOathEntries(text('keys'), { digits, period });
      if (totp === undefined) {
        throw new FormatError(place, 'it has a key of no known form');
      }
      return { ...NO_ENTRIES, totp };
    }
    case 'yubico':
      return { ...NO_ENTRIES, yubico: oldYubicoEntries(text('keys')) };
    case 'u2f':
      if (data.has('challenge')) {
        return NO_ENTRIES;
      }
      text('keyHandle');
      text('publicKey');
      return { ...NO_ENTRIES, u2f: [OLD_U2F] };
    default:
      throw new FormatError(place, 'its type is not oath, yubico or u2f');
  }
}

const OLD_U2F = { id: 'v1-entry', description: '<old version 1 entry>', created: 0, enabled: true };

function parsed(base64: string, place: string): ReadonlyMap<string, unknown> {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64 || !isUtf8(bytes)) {
    throw new FormatError(place, 'its base64 is damaged');
  }
  let value: unknown;
  try {
    value = parseStrictJson(bytes.toString());
  } catch {
    throw new FormatError(place, 'there is no JSON in its base64');
  }
  // If a name comes twice, Proxmox uses the last one.
  return new Map(membersOf(value, `${place}: its base64`));
}

/** Perl sometimes wrote numbers as strings. */
function numberOf(value: unknown, most: bigint, place: string): number {
  const number =
    typeof value === 'string' && /^\+?[0-9]{1,40}$/.test(value) ? BigInt(value.replace('+', '')) : value;
  if (typeof number !== 'bigint' || number < 0n || number > most) {
    throw new FormatError(place, 'its digits or step is not a number');
  }
  return Number(number);
}
