import { FormatError } from './format-error.ts';
import { oathEntries, yubicoEntries } from './legacy-keys.ts';
import { parseStrictJson } from './strict-json.ts';
import { NO_ENTRIES, type TfaConfig, type TfaUser } from './tfa-config.ts';
import { isUserId } from './user-id.ts';

const LINE = /^([^:]+):([^:]+):([A-Za-z0-9+/]+={0,2})$/;
const DEFAULT_DIGITS = 6;
const DEFAULT_STEP = 30;

/**
 * Reads tfa.cfg as Proxmox VE 5.4 to 6 wrote it: a line `USER:TYPE:BASE64` for each user, in which there is JSON.
 *
 * @param text - the whole file; an empty one is valid
 * @returns what each user has
 * @throws FormatError with the number of the line
 */
export function parseLegacyTfa(text: string): TfaConfig {
  const users = new Map<string, TfaUser>();
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) {
      continue;
    }
    const place = `line ${index + 1}`;
    const [, userId, type, base64] = LINE.exec(trimmed) ?? [];
    if (userId === undefined || type === undefined || base64 === undefined) {
      throw new FormatError(place, 'it is neither JSON nor USER:TYPE:BASE64');
    }
    const user = userOf(type, base64, place);
    if (isUserId(userId) && user !== undefined) {
      users.set(userId, user);
    }
  }
  return users;
}

/** Undefined: a registration that was never finished. */
function userOf(type: string, base64: string, place: string): TfaUser | undefined {
  const data = parsed(base64, place);
  switch (type) {
    case 'oath': {
      const config = data.get('config');
      const settings: ReadonlyMap<string, unknown> = config instanceof Map ? config : new Map();
      const digits = numberOf(settings.get('digits') ?? DEFAULT_DIGITS, place);
      const step = numberOf(settings.get('step') ?? DEFAULT_STEP, place);
      return { ...NO_ENTRIES, totp: oathEntries(keysOf(data, place), digits, step) };
    }
    case 'yubico':
      return { ...NO_ENTRIES, yubico: yubicoEntries(keysOf(data, place)) };
    case 'u2f':
      return data.has('challenge') ? undefined : { ...NO_ENTRIES, u2f: [OLD_U2F] };
    default:
      throw new FormatError(place, 'its type is none of oath, yubico and u2f');
  }
}

const OLD_U2F = { id: 'v1-entry', description: '<old version 1 entry>', created: 0, enabled: true };

function parsed(base64: string, place: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = parseStrictJson(Buffer.from(base64, 'base64').toString());
  } catch {
    throw new FormatError(place, 'there is no JSON in its base64');
  }
  if (!(value instanceof Map)) {
    throw new FormatError(place, 'there is no object in its base64');
  }
  return value as ReadonlyMap<string, unknown>;
}

function keysOf(data: ReadonlyMap<string, unknown>, place: string): string {
  const keys = data.get('keys');
  if (typeof keys !== 'string') {
    throw new FormatError(place, 'it has no keys');
  }
  return keys;
}

/** Perl wrote numbers as texts, too. */
function numberOf(value: unknown, place: string): number {
  const number = typeof value === 'string' && /^[0-9]{1,9}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number)) {
    throw new FormatError(place, 'its digits or step is no number');
  }
  return Number(number);
}
