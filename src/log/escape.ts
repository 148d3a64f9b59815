/** Longer values are cut, so that a name of a megabyte does not fill the disk. */
const MAX_LOGGED_CHARACTERS = 256;

/** Values that need no quotes in a log line. */
const PLAIN = /^[A-Za-z0-9._:@/%+,-]+$/;

/**
 * Control characters, and those that change how a terminal or an editor shows the rest: everything in Unicode's category C
 * (controls, invisible format characters, surrogates that stand alone, unassigned ones), line and paragraph separators.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/u;

/**
 * Makes a value from outside safe for a log line: it can neither end the line nor look like another field of it.
 *
 * @param value - any text, or bytes that are read as UTF-8
 * @returns the value as it is when it is plain, else in double quotes with escapes as in JSON
 */
export function loggable(value: string | Uint8Array): string {
  const text = typeof value === 'string' ? value : textOf(value);
  if (text.length <= MAX_LOGGED_CHARACTERS && PLAIN.test(text)) {
    return text;
  }
  const characters = Array.from(text.slice(0, MAX_LOGGED_CHARACTERS));
  const cut = text.length > MAX_LOGGED_CHARACTERS ? '...' : '';
  return `"${characters.map(escaped).join('')}${cut}"`;
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') {
    return `\\${character}`;
  }
  // So even a careless pattern does not mistake part of a value for a field.
  if (!UNSAFE.test(character) && character !== '=') {
    return character;
  }
  // As in JSON: beyond the basic plane two escapes.
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
